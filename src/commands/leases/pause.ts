import { partitionArgs } from '../../cli/choose-partitions.js';
import { PauseCommand, pauseFlags } from '../../cli/pause-command.js';

/** `natspoc leases pause`: pauses partitions, which keep their owners. */
export default class LeasesPause extends PauseCommand {
  static override summary = 'Pause partitions until "leases resume"; they keep their owners.';
  static override description =
    'The owner drains, commits and keeps the partition. The pause is stored in the bucket: it survives a change of owner and restarts of members and servers.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> 3',
    { description: 'The whole group:', command: '<%= config.bin %> <%= command.id %> --all' },
  ];
  static override strict = false;
  static override args = partitionArgs;
  static override flags = pauseFlags;

  override async run(): Promise<void> {
    const { flags, argv } = await this.parse(LeasesPause);
    await this.setPaused(flags, argv.map(String), true);
  }
}
