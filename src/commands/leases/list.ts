import { connectionFlags } from '../../base-command.js';
import { readGroupStatus } from '../../core/operate/group-status.js';
import { formatLeases, groupStatusJson, summarise } from '../../core/operate/lease-table.js';
import { StreamCommand } from '../../stream-command.js';

/** How long members have to answer for themselves. */
const ANSWER_MS = 500;

/** `natspoc leases`: who owns which partition, and how far it is. */
export default class LeasesList extends StreamCommand {
  static override aliases = ['leases'];
  static override summary = 'See who owns which partition, how far it is and what waits.';
  static override description =
    `One line a partition: its owner, the owner's epoch and for how long it has held the partition; the last
sequence handled, the last one stored, and how many messages wait between; how fast it goes, when the owner is taken for
dead unless it renews, and what the partition is doing. Lines that start with "!" need somebody.`;
  static override examples = [
    '<%= config.bin %> leases',
    { description: 'Of another group:', command: '<%= config.bin %> leases --group audit' },
    {
      description: 'Partitions that wait, with jq:',
      command: `<%= config.bin %> leases --json | jq '.leases[] | select(.lag > 0)'`,
    },
  ];
  static override flags = { ...connectionFlags };

  override async run(): Promise<void> {
    const { flags } = await this.parse(LeasesList);
    await this.withStream(flags, 'leases', async ({ config, topology, observer }) => {
      const status = await readGroupStatus(observer, {
        partitions: topology.layout.partitions,
        answerMs: ANSWER_MS,
      });
      if (flags.json) {
        this.writeJson(groupStatusJson({ stream: config.stream, group: config.group }, status));
        return;
      }
      this.writeLines([
        ...formatLeases(status),
        '',
        `${config.stream}, group ${config.group}: ${summarise(status)}`,
      ]);
    });
  }
}
