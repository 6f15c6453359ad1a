import { connectionFlags } from '../../cli/base-command.js';
import { Args, Flags } from '../../cli/oclif.js';
import { StreamCommand } from '../../cli/stream-command.js';
import { NatspocError } from '../../core/lib/errors.js';
import { formatMessage, messageJson } from '../../text/message-lines.js';

/** `natspoc stream get`: shows one message. */
export default class StreamGet extends StreamCommand {
  static override summary = 'Show one message by its sequence in the stream.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> 1234',
    {
      description: 'Only its payload:',
      command: '<%= config.bin %> <%= command.id %> 1234 --raw > payload.bin',
    },
  ];
  static override args = {
    sequence: Args.string({ description: 'sequence in the stream', name: 'SEQ', required: true }),
  };
  static override flags = {
    raw: Flags.boolean({ description: 'write only the payload', exclusive: ['json'] }),
    ...connectionFlags,
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(StreamGet);
    const sequence = /^[1-9]\d{0,15}$/.test(args.sequence) ? Number(args.sequence) : undefined;
    if (sequence === undefined) {
      throw new NatspocError(
        'usage',
        `${JSON.stringify(args.sequence)} is not a sequence: a whole number from 1.`,
      );
    }
    await this.withStream(flags, 'stream get', async ({ config, stream }) => {
      const message = await stream.message(sequence);
      if (!message) {
        throw new NatspocError(
          'failed',
          `Stream ${config.stream} has no message ${sequence}: it was deleted, or is not stored yet.`,
        );
      }
      if (flags.raw) process.stdout.write(message.data);
      else if (flags.json) this.writeJson(messageJson(message));
      else this.writeLines(formatMessage(message));
    });
  }
}
