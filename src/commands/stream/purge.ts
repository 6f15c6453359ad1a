import { connectionFlags } from '../../cli/base-command.js';
import { checkPartition } from '../../cli/choose-partitions.js';
import { forceFlag } from '../../cli/flag.js';
import { Flags } from '../../cli/oclif.js';
import { StreamCommand } from '../../cli/stream-command.js';
import { messageOf } from '../../core/lib/errors.js';
import { formatCount } from '../../core/lib/units.js';

/** `natspoc stream purge`: deletes messages, handled or not. */
export default class StreamPurge extends StreamCommand {
  static override summary = 'Delete all messages, or all messages of one partition, handled or not.';
  static override description =
    'Positions are kept and sequences are not reused, so groups continue with the next published message. Members report the deleted messages that a group had not handled as lost; if positions lag behind, members may report handled messages, too. Asks for the name of the stream; --force skips the question.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    { description: 'One partition:', command: '<%= config.bin %> <%= command.id %> --partition 3 --force' },
  ];
  static override flags = {
    partition: Flags.integer({ description: 'only this partition', min: 0, helpValue: 'N' }),
    force: forceFlag,
    ...connectionFlags,
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(StreamPurge);
    await this.withStream(
      flags,
      'stream purge',
      async ({ config, stream, group }) => {
        const { counts, lastSequence } = await group.observer.stream();
        const { partition } = flags;
        checkPartition(partition, counts.length);
        const chosen = partition === undefined ? counts : [counts[partition] ?? 0];
        const messages = formatCount(chosen.reduce((sum, count) => sum + count, 0));
        const where = partition === undefined ? '' : ` partition ${partition} of`;
        const consequences = [
          `${messages} messages of${where} stream ${config.stream} will be deleted, including those that no group has handled.`,
        ];
        await this.confirm({ consequences, name: config.stream, force: flags.force });
        // Messages that arrive while the command waits for the answer are not part of it.
        const deleted = await stream.purge(partition ?? null, lastSequence, (error) =>
          this.note(`Warning: members may report handled messages as lost: ${messageOf(error)}`),
        );
        if (flags.json) this.writeJson({ deleted, partition: partition ?? null });
        else this.writeLines([`Deleted ${formatCount(deleted)} messages.`]);
      },
      [],
      true,
    );
  }
}
