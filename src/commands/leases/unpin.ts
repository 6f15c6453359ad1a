import { connectionFlags } from '../../cli/base-command.js';
import { allFlag, choosePartitions, partitionArgs } from '../../cli/choose-partitions.js';
import { StreamCommand } from '../../cli/stream-command.js';
import { escapeControl } from '../../core/lib/text.js';

/** `natspoc leases unpin`: removes pins, so that the partitions are balanced again. */
export default class LeasesUnpin extends StreamCommand {
  static override summary = 'Remove pins, so that the partitions are balanced again.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> 3',
    { description: 'Remove all pins:', command: '<%= config.bin %> <%= command.id %> --all' },
  ];
  static override strict = false;
  static override args = partitionArgs;
  static override flags = { all: allFlag, ...connectionFlags };

  override async run(): Promise<void> {
    const { flags, argv } = await this.parse(LeasesUnpin);
    await this.withGroup(flags, 'leases unpin', async ({ stream, group }) => {
      const request = { named: argv.map(String), all: flags.all };
      const partitions = choosePartitions(request, stream.layout.partitions, undefined);
      const before = await group.pin(partitions, null);
      const unpinned = [...before].flatMap(([partition, from]) =>
        from !== null || !flags.all ? [{ partition, from }] : [],
      );
      if (flags.json) this.writeJson({ unpinned });
      else if (unpinned.length === 0) this.writeLines(['Nothing was pinned.']);
      else {
        this.writeLines(
          unpinned.map(({ partition, from }) =>
            from === null
              ? `p${partition} was not pinned`
              : `p${partition} is no longer pinned to ${escapeControl(from)}`,
          ),
        );
      }
    });
  }
}
