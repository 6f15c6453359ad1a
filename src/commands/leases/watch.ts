import { connectionFlags } from '../../cli/base-command.js';
import { StreamCommand } from '../../cli/stream-command.js';
import { describeChange, recordChange } from '../../text/change-line.js';

/** `natspoc leases watch`: what changes in a group, as it happens. */
export default class LeasesWatch extends StreamCommand {
  static override summary = 'Follow changes of ownership and of members as they happen, one line each.';
  static override description =
    'Goes on until Ctrl-C. With --json one object a line: at, event, partition, epoch, member, session, from, reason.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    {
      description: 'What one member gets:',
      command: `<%= config.bin %> <%= command.id %> --json | jq 'select(.member == "worker-2")'`,
    },
  ];
  static override flags = { ...connectionFlags };

  override async run(): Promise<void> {
    const { flags } = await this.parse(LeasesWatch);
    const signal = this.stopSignal();
    await this.withStream(flags, 'leases watch', async ({ config, group }) => {
      const follower = group.follow((change) => {
        const record = recordChange(change, new Date());
        if (flags.json) this.writeJson(record);
        else this.writeLines([describeChange(record)]);
      });
      process.stdout.on('error', () => process.exit(0));
      try {
        await follower.until(() => true, config.timeoutMs, signal);
        if (!flags.json) this.note(`Watching group ${group.name} of ${config.stream}; Ctrl-C ends.`);
        await follower.until(() => false, Number.POSITIVE_INFINITY, signal);
      } finally {
        follower.stop();
      }
    });
  }
}
