import { connectionFlags } from '../../cli/base-command.js';
import { parsePartitions } from '../../cli/choose-partitions.js';
import { Args } from '../../cli/oclif.js';
import { StreamCommand } from '../../cli/stream-command.js';
import type { Tenure } from '../../core/admin/history.js';
import { formatTenures } from '../../text/tenures-table.js';

/** `natspoc leases history`: the earlier owners of a partition. */
export default class LeasesHistory extends StreamCommand {
  static override summary =
    'Show the owners of a partition, when and why it moved to each of them, and gaps without an owner.';
  static override description =
    'The bucket keeps the last 16 changes. A gap lasts from the last renewal of a dead owner until the claim of the next owner. It is an upper bound on the time in which no member handled the partition. A gap is shown as ? if the time of the last renewal is no longer stored, because the entries of the ended session were removed from the bucket.';
  static override examples = ['<%= config.bin %> <%= command.id %> 3'];
  static override args = {
    partition: Args.string({ description: 'the partition, such as 3', name: 'PARTITION', required: true }),
  };
  static override flags = { ...connectionFlags };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(LeasesHistory);
    await this.withGroup(
      flags,
      'leases history',
      async ({ config: { stream }, stream: { layout }, group: admin }) => {
        const group = admin.name;
        const histories: { partition: number; tenures: Tenure[] }[] = [];
        for (const partition of parsePartitions([args.partition], layout.partitions)) {
          histories.push({ partition, tenures: await admin.history(partition) });
        }
        if (flags.json) {
          this.writeJson({ stream, group, histories });
          return;
        }
        for (const { partition, tenures } of histories) {
          if (tenures.length === 0) this.writeLines([`p${partition} never had an owner in group ${group}.`]);
          else
            this.writeLines([
              `p${partition} of ${stream}, group ${group}`,
              '',
              ...formatTenures(tenures, this.columns),
            ]);
        }
      },
    );
  }
}
