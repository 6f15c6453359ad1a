import { partitionArgs } from '../../cli/choose-partitions.js';
import { PauseCommand, pauseFlags } from '../../cli/pause-command.js';

/** `natspoc leases resume`: resumes paused partitions. */
export default class LeasesResume extends PauseCommand {
  static override summary = 'Resume paused partitions; each one continues after its last handled message.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> 3',
    { description: 'The whole group:', command: '<%= config.bin %> <%= command.id %> --all' },
  ];
  static override strict = false;
  static override args = partitionArgs;
  static override flags = pauseFlags;

  override async run(): Promise<void> {
    const { flags, argv } = await this.parse(LeasesResume);
    await this.setPaused(flags, argv.map(String), false);
  }
}
