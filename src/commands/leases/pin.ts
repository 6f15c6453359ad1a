import { connectionFlags } from '../../cli/base-command.js';
import { parsePartitions } from '../../cli/choose-partitions.js';
import { Args, Flags } from '../../cli/oclif.js';
import { StreamCommand } from '../../cli/stream-command.js';
import { NatspocError } from '../../core/lib/errors.js';
import { escapeControl } from '../../core/lib/text.js';
import { partitionList } from '../../text/partition-list.js';

/** `natspoc leases pin`: keeps a partition with one member. */
export default class LeasesPin extends StreamCommand {
  static override summary =
    'Keep partitions with one member, regardless of the balance, while that member is in the group.';
  static override description =
    'A pin names a member by its name (or session id) and is stored in the bucket. While this member is not in the group, the partition goes to any member; when the member joins, it gets the partition. The other partitions are shared evenly.';
  static override examples = ['<%= config.bin %> <%= command.id %> 3 --to worker-7'];
  static override strict = false;
  static override args = {
    partition: Args.string({ description: 'partitions: 3, 0-3', name: 'PARTITION...', required: true }),
  };
  static override flags = {
    to: Flags.string({ description: 'the member (name or session id)', helpValue: 'NAME', required: true }),
    ...connectionFlags,
  };

  override async run(): Promise<void> {
    const { flags, argv } = await this.parse(LeasesPin);
    const signal = this.stopSignal();
    const { to } = flags;
    const shown = escapeControl(to);
    if (to.trim() === '') throw new NatspocError('usage', '--to: a member needs a name.');
    await this.withGroup(flags, 'leases pin', ({ stream, group }) =>
      group.following(async (follower) => {
        const partitions = parsePartitions(argv.map(String), stream.layout.partitions);
        await group.pin(partitions, to);
        const { present, there } = await group.untilPinned(follower, partitions, to, signal);
        if (flags.json) this.writeJson({ pinned: partitions, to, present, there });
        else if (!present) {
          this.writeLines([
            `${partitionList(partitions)} pinned to ${shown}, which is not in the group: ${partitions.length === 1 ? 'it moves' : 'they move'} when that member joins.`,
          ]);
        } else if (there) {
          this.writeLines([
            `${partitionList(partitions)} pinned to ${shown}, which owns ${partitions.length === 1 ? 'it' : 'them'}.`,
          ]);
        }
        if (present && !there) {
          if (flags.json) process.exitCode = 1;
          else
            throw new NatspocError(
              'failed',
              `${partitionList(partitions)} pinned to ${shown}, which does not own ${partitions.length === 1 ? 'it' : 'them'} yet.`,
            );
        }
      }),
    );
  }
}
