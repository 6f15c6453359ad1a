import { connectionFlags } from '../../cli/base-command.js';
import { Args, Flags } from '../../cli/oclif.js';
import { StreamCommand } from '../../cli/stream-command.js';
import type { Config } from '../../core/config/config.js';
import { integer } from '../../core/config/parse.js';
import { NatspocError } from '../../core/lib/errors.js';
import { startPatienceMs } from '../../core/nats/client/ask-again.js';
import { MAX_PARTITIONS } from '../../core/protocol/record-format.js';
import { describePlan, describeResize } from '../../text/resize-report.js';

/** `natspoc leases resize`: changes the number of partitions while the group runs. */
export default class LeasesResize extends StreamCommand {
  static override summary = 'Change the number of partitions of a group while it runs.';
  static override description = [
    'Every owner drains, commits and closes its partitions; when all partitions are closed, the group continues with the new number of partitions. The order of each key is kept, nothing is skipped, and nothing is handled twice. Until all partitions are closed, the owners start no further handlers. Closing takes as long as the slowest handler runs, plus a few hundred milliseconds.',
    'A group that uses the partitions of the stream becomes a keyed group: it has the key header:Natspoc-Key and the same subjects. Publishers and the other groups of the stream are not affected.',
    'If the command ends early, or the group has no members, the group is resized later. --abort withdraws the resize. Before a group can be resized again, it must have handled the messages that waited at the previous resize.',
  ].join('\n\n');
  static override examples = [
    '<%= config.bin %> <%= command.id %> 64 --group billing',
    {
      description: 'Only show the effect:',
      command: '<%= config.bin %> <%= command.id %> 64 --group billing --dry-run',
    },
  ];
  static override args = {
    partitions: Args.string({ description: 'the new number of partitions' }),
  };
  static override flags = {
    'dry-run': Flags.boolean({ description: 'only show the effect' }),
    abort: Flags.boolean({ description: 'withdraw a resize that is not done yet' }),
    ...connectionFlags,
  };

  /** A resize waits for the election of a leader as long as a member that starts. */
  protected override loadSettings(flags: Readonly<Record<string, unknown>>): Config {
    const config = super.loadSettings(flags);
    return { ...config, timeoutMs: startPatienceMs(config) };
  }

  override async run(): Promise<void> {
    const { flags, args } = await this.parse(LeasesResize);
    const given = integer(1, MAX_PARTITIONS);
    const partitions = args.partitions === undefined ? undefined : given.parse(args.partitions);
    if (args.partitions !== undefined && partitions === undefined)
      throw new NatspocError('usage', `${JSON.stringify(args.partitions)} is not ${given.allowed}.`);
    if ((partitions === undefined) !== (flags.abort ?? false))
      throw new NatspocError('usage', 'Give either the new number of partitions, or --abort.');
    const signal = this.stopSignal();
    await this.withGroup(flags, 'leases resize', ({ group }) =>
      group.following(async (follower) => {
        if (partitions === undefined) {
          const wanted = await group.abortResize(follower);
          if (flags.json) this.writeJson({ aborted: wanted });
          else
            this.writeLines([
              wanted === null
                ? `Group ${group.name} is not being resized.`
                : `Withdrawn: group ${group.name} is not resized to ${wanted} partitions.`,
            ]);
          return;
        }
        if (flags['dry-run']) {
          const plan = await group.planResize(follower, partitions);
          if (flags.json) this.writeJson({ dryRun: true, ...plan });
          else this.writeLines(describePlan(group.name, plan));
          return;
        }
        const done = await group.resize(follower, partitions, signal);
        if (flags.json) this.writeJson(done);
        else if (done.outcome !== 'aborted') this.writeLines(describeResize(group.name, done));
        if (done.outcome === 'aborted') {
          const error = new NatspocError('failed', describeResize(group.name, done).join(' '));
          if (!flags.json) throw error;
          process.exitCode = error.exitCode;
        }
      }),
    );
  }
}
