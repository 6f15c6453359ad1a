import { connectionFlags } from '../../cli/base-command.js';
import { parsePartitions } from '../../cli/choose-partitions.js';
import { Args } from '../../cli/oclif.js';
import { StreamCommand } from '../../cli/stream-command.js';
import type { Tenure } from '../../core/admin/history.js';
import { formatTenures } from '../../text/tenures-table.js';

/** `natspoc leases history`: who had a partition before. */
export default class LeasesHistory extends StreamCommand {
  static override summary =
    'See who owned a partition, since when, how it changed hands, and gaps without an owner.';
  static override description =
    'As far back as the bucket keeps it: the last 16 changes. A gap is how long at most nobody handled the partition: from the last sign of life of an owner that died until the claim; ? where none is kept any more, as when its session was swept.';
  static override examples = ['<%= config.bin %> <%= command.id %> 3'];
  static override args = {
    partition: Args.string({ description: 'the partition, such as 3', name: 'PARTITION', required: true }),
  };
  static override flags = { ...connectionFlags };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(LeasesHistory);
    await this.withStream(
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
