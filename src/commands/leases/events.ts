import { connectionFlags } from '../../cli/base-command.js';
import { StreamCommand } from '../../cli/stream-command.js';
import { eventsOf } from '../../core/admin/group-event.js';
import { describeEvent } from '../../text/change-line.js';
import { eventJson } from '../../text/json.js';

/** `natspoc leases events`: the changes of a group as they happen. */
export default class LeasesEvents extends StreamCommand {
  static override aliases = ['leases:watch'];
  static override summary =
    'Follow changes of owners, members, pauses and pins as they happen, one per line.';
  static override description =
    'Runs until Ctrl-C. With --json it prints one event per line. The fields are at, event, partition, epoch, member, session, from and reason. Events of a pause or pin also have the fields by and to.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    {
      description: 'Only the partitions that one member gets:',
      command: `<%= config.bin %> <%= command.id %> --json | jq 'select(.member == "worker-2")'`,
    },
  ];
  static override flags = { ...connectionFlags };

  override async run(): Promise<void> {
    const { flags } = await this.parse(LeasesEvents);
    const signal = this.stopSignal();
    await this.withGroup(flags, 'leases events', async ({ config, group }) => {
      const follower = group.follow((change) => {
        for (const event of eventsOf(change)) {
          const now = Date.now();
          if (flags.json) this.writeJson(eventJson(event, now));
          else this.writeLines([describeEvent(event, now)]);
        }
      });
      process.stdout.on('error', () => process.exit(0));
      try {
        await follower.until(() => true, config.timeoutMs, signal);
        if (!flags.json) this.note(`Watching group ${group.name} of ${config.stream}; Ctrl-C stops.`);
        await follower.until(() => false, Number.POSITIVE_INFINITY, signal);
      } finally {
        follower.stop();
      }
    });
  }
}
