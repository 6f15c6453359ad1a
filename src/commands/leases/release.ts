import { connectionFlags } from '../../cli/base-command.js';
import { allFlag, choosePartitions, findMember, partitionArgs } from '../../cli/choose-partitions.js';
import { Flags } from '../../cli/oclif.js';
import { StreamCommand } from '../../cli/stream-command.js';
import type { ReleaseOutcome } from '../../core/admin/release.js';
import { NatspocError } from '../../core/lib/errors.js';
import { describeRelease } from '../../text/release-report.js';

/** `natspoc leases release`: makes owners hand over partitions. */
export default class LeasesRelease extends StreamCommand {
  static override summary =
    'Make owners drain, commit and hand over partitions, so that nothing is handled twice.';
  static override description = [
    'The owner finishes the running message, commits and gives the partition to the member named by --to, or to the member with the fewest partitions. If the group has only one member, this member takes the partition again at a new epoch. The group stays balanced, so another partition may move in exchange; "leases pin" keeps a partition in place.',
    '--force is for an owner that does not answer. The command then fences the owner: the owner cannot commit any more, and all its partitions go to other members. Messages that the owner handled but did not commit are handled again. No member claims a lease that cannot be read, so --force also releases such a lease, unless a newer version of natspoc wrote it.',
  ].join('\n\n');
  static override examples = [
    '<%= config.bin %> <%= command.id %> 3',
    { description: 'To a member:', command: '<%= config.bin %> <%= command.id %> 0-3 --to worker-7' },
    {
      description: 'All partitions of a member:',
      command: '<%= config.bin %> <%= command.id %> --owner worker-2',
    },
    {
      description: 'From an owner that hangs:',
      command: '<%= config.bin %> <%= command.id %> --owner worker-2 --force',
    },
  ];
  static override strict = false;
  static override args = partitionArgs;
  static override flags = {
    owner: Flags.string({
      description: 'all partitions of this member (name or session id)',
      helpValue: 'NAME',
    }),
    all: allFlag,
    to: Flags.string({ description: 'the next owner (name or session id)', helpValue: 'NAME' }),
    force: Flags.boolean({ description: 'fence an owner that does not answer' }),
    ...connectionFlags,
  };

  override async run(): Promise<void> {
    const { flags, argv } = await this.parse(LeasesRelease);
    const signal = this.stopSignal();
    const outcomes = await this.withGroup(flags, 'leases release', ({ stream, group }) =>
      group.following((follower) => {
        const request = { named: argv.map(String), owner: flags.owner, all: flags.all };
        const partitions = choosePartitions(request, stream.layout.partitions, follower);
        const to = flags.to === undefined ? null : findMember(follower, flags.to).id;
        return group.release(follower, partitions, { to, force: flags.force, signal });
      }),
    );
    this.#report(outcomes, flags.json);
  }

  #report(outcomes: readonly ReleaseOutcome[], json: boolean): void {
    const failed = outcomes.filter(({ outcome }) => outcome === 'failed');
    if (json) this.writeJson({ released: outcomes });
    else if (outcomes.length === 0) this.writeLines(['Nothing to release.']);
    else this.writeLines(outcomes.filter(({ outcome }) => outcome !== 'failed').map(describeRelease));
    const [first, ...others] = failed;
    if (!first) return;
    const code = failed.some(({ denied }) => denied) ? 'not-permitted' : 'failed';
    const error = new NatspocError(code, `${describeRelease(first)}.`);
    if (json) {
      process.exitCode = error.exitCode;
      return;
    }
    for (const each of others) this.note(`Error: ${describeRelease(each)}.`);
    throw error;
  }
}
