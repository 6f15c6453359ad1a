import { connectionFlags } from '../../cli/base-command.js';
import { checkPartition } from '../../cli/choose-partitions.js';
import { countFlag } from '../../cli/flag.js';
import { Flags } from '../../cli/oclif.js';
import { StreamCommand, type StreamSession } from '../../cli/stream-command.js';
import { KeyedMessages } from '../../core/admin/keyed-messages.js';
import { planSeek } from '../../core/admin/seek-target.js';
import type { StoredMessage } from '../../core/ports/stream-admin.js';
import { partitionOf } from '../../core/protocol/layout.js';
import { formatMessageLine, messageJson } from '../../text/message-lines.js';

/** `natspoc stream tail`: shows recent and new messages. */
export default class StreamTail extends StreamCommand {
  static override summary =
    'Show the last messages and then new messages, one per line, without consuming them.';
  static override description =
    'Runs until Ctrl-C, or with --no-follow until the newest message. Groups are not affected: no position moves.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    {
      description: 'The messages of a key among the last 100 of its partition:',
      command: '<%= config.bin %> <%= command.id %> --key user-7 --last 100 --no-follow',
    },
    {
      description: 'Payloads, with jq:',
      command: '<%= config.bin %> <%= command.id %> --json --partition 3 | jq .data',
    },
  ];
  static override flags = {
    last: countFlag({
      description: 'how many stored messages to show first',
      default: 10,
      min: 0,
      helpValue: 'N',
    }),
    partition: Flags.integer({ description: 'only this partition', min: 0, helpValue: 'N' }),
    key: Flags.string({
      description: 'show only this key; --last counts all messages of its partition',
      helpValue: 'KEY',
      exclusive: ['partition'],
    }),
    follow: Flags.boolean({ description: 'continue with new messages', default: true, allowNo: true }),
    ...connectionFlags,
  };

  protected override readonly ownFlags = ['key'];

  override async run(): Promise<void> {
    const { flags } = await this.parse(StreamTail);
    const signal = this.stopSignal();
    await this.withStream(flags, 'stream tail', async (session) => {
      const { layout } = session.stream;
      const partition = flags.key === undefined ? flags.partition : partitionOf(flags.key, layout.partitions);
      checkPartition(partition, layout.partitions);
      const { startSequence, end } = await this.#start(session, partition, flags.last, signal);
      if (!flags.follow && startSequence > end) return;
      const closed = new AbortController();
      process.stdout.on('error', () => closed.abort());
      const messages = session.stream.tail(partition, {
        startSequence,
        follow: flags.follow,
        signal: AbortSignal.any([signal, closed.signal]),
      });
      for await (const message of messages) {
        if (flags.key === undefined || message.key === flags.key) this.#show(message, flags.json);
        if (!flags.follow && message.sequence >= end) break;
      }
    });
  }

  /** The first sequence to show, and the last stored sequence. */
  async #start(
    { stream: { layout }, group: { observer } }: StreamSession,
    partition: number | undefined,
    last: number,
    signal: AbortSignal,
  ): Promise<{ startSequence: number; end: number }> {
    const stream = await observer.stream();
    const ends = (await observer.ends()).filter(
      (each) => partition === undefined || each.partition === partition,
    );
    const end = Math.max(0, ...ends.map(({ sequence }) => sequence));
    if (observer.keyed) {
      const messages = new KeyedMessages(observer, observer.keyed, layout.partitions, stream, signal).of(
        partition ?? null,
      );
      const { to } =
        last === 0
          ? { to: stream.lastSequence }
          : await messages.back(stream.firstSequence - 1, stream.lastSequence, last);
      return { startSequence: to + 1, end };
    }
    if (partition === undefined) return { startSequence: Math.max(1, stream.lastSequence - last + 1), end };
    if (last === 0 || end === 0) return { startSequence: stream.lastSequence + 1, end };
    const source = { observer, stream, sequenceAt: async () => 0 };
    const back = await planSeek(source, partition, { sequence: end }, { kind: 'relative', messages: -last });
    return { startSequence: back.to + 1, end };
  }

  #show(message: StoredMessage, json: boolean): void {
    if (json) this.writeJson(messageJson(message));
    else
      this.writeLines([
        formatMessageLine(message, process.stdout.isTTY ? process.stdout.columns : undefined),
      ]);
  }
}
