import { PauseCommand, pauseArgs, pauseFlags } from '../../cli/pause-command.js';

/** `natspoc leases pause`: partitions stay owned and are not handled. */
export default class LeasesPause extends PauseCommand {
  static override summary = 'Stop handling partitions: they stay owned, and rest until "leases resume".';
  static override description =
    'The owner drains, commits and keeps the partition. A pause is kept in the bucket: it outlives a change of owner and a restart of everything.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> 3',
    { description: 'The whole group:', command: '<%= config.bin %> <%= command.id %> --all' },
  ];
  static override strict = false;
  static override args = pauseArgs;
  static override flags = pauseFlags;

  override async run(): Promise<void> {
    const { flags, argv } = await this.parse(LeasesPause);
    await this.setPaused(flags, argv.map(String), true);
  }
}
