import { connectionFlags } from '../../cli/base-command.js';
import { allFlag, choosePartitions, partitionArgs } from '../../cli/choose-partitions.js';
import { forceFlag } from '../../cli/flag.js';
import { Flags } from '../../cli/oclif.js';
import { StreamCommand } from '../../cli/stream-command.js';
import type { SeekOutcome } from '../../core/admin/seek.js';
import { parseSeekTarget } from '../../core/admin/seek-target.js';
import { NatspocError } from '../../core/lib/errors.js';
import { describeSeek, describeStep, seekConsequences } from '../../text/seek-report.js';

/** `natspoc leases seek`: moves a group's positions. */
export default class LeasesSeek extends StreamCommand {
  static override summary = 'Move positions, to skip messages or to handle them again.';
  static override description = [
    '--to is the place to continue from. first: all stored messages. new: only new messages. seq:N: the message with that sequence in the stream. 2026-01-31T08:00:00Z or -1h: the first message stored at that time or later. -100: repeat the last 100 handled messages of each partition. +100: skip the next 100. +0: keep the position, but acknowledge messages that the stream dropped.',
    'The owners drain and commit, the command moves the positions by compare-and-set, and the owners continue from the new positions. This also works for a group without members. The command shows the effect and asks for the name of the group; --force skips the question.',
  ].join('\n\n');
  static override examples = [
    '<%= config.bin %> <%= command.id %> 3 --to -100',
    {
      description: 'Repeat everything since a deployment:',
      command: '<%= config.bin %> <%= command.id %> --all --to 2026-01-31T08:00:00Z --dry-run',
    },
  ];
  static override strict = false;
  static override args = partitionArgs;
  static override flags = {
    all: allFlag,
    to: Flags.string({
      description: 'where to continue',
      helpValue: 'first|new|seq:N|TIME|-1h|-N|+N',
      required: true,
    }),
    'dry-run': Flags.boolean({ description: 'only show the effect' }),
    force: forceFlag,
    ...connectionFlags,
  };

  override async run(): Promise<void> {
    const { flags, argv } = await this.parse(LeasesSeek);
    const target = parseSeekTarget(flags.to);
    const signal = this.stopSignal();
    await this.withGroup(flags, 'leases seek', async ({ stream, group }) => {
      const request = { named: argv.map(String), all: flags.all };
      const partitions = choosePartitions(request, stream.layout.partitions, undefined);
      const steps = await group.planSeek(partitions, target, signal);
      if (flags['dry-run']) {
        if (flags.json) this.writeJson({ dryRun: true, partitions: steps });
        else this.writeLines(steps.map(describeStep));
        return;
      }
      const consequences = seekConsequences(group.name, steps);
      await this.confirm({ consequences, name: group.name, force: flags.force });
      this.#report(await group.seek(partitions, target, signal), flags.json);
    });
  }

  #report(outcomes: readonly SeekOutcome[], json: boolean): void {
    const failed = outcomes.filter(({ moved }) => !moved);
    if (json) {
      this.writeJson({ partitions: outcomes });
      process.exitCode = failed.length > 0 ? 1 : 0;
      return;
    }
    this.writeLines(outcomes.filter(({ moved }) => moved).map(describeSeek));
    if (failed.length > 0) throw new NatspocError('failed', `${failed.map(describeSeek).join('; ')}.`);
  }
}
