import { connectionFlags } from '../../cli/base-command.js';
import { StreamCommand } from '../../cli/stream-command.js';
import { describeChange, recordChange } from '../../text/change-line.js';

/** `natspoc leases watch`: the changes of a group as they happen. */
export default class LeasesWatch extends StreamCommand {
  static override summary = 'Follow changes of owners and members as they happen, one line each.';
  static override description =
    'Runs until Ctrl-C. With --json it prints one object per line: at, event, partition, epoch, member, session, from, reason.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    {
      description: 'The partitions that one member gets:',
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
        if (!flags.json) this.note(`Watching group ${group.name} of ${config.stream}; Ctrl-C stops.`);
        await follower.until(() => false, Number.POSITIVE_INFINITY, signal);
      } finally {
        follower.stop();
      }
    });
  }
}
