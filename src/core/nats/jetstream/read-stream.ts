import { setTimeout as delay } from 'node:timers/promises';
import { DeliverPolicy, nuid } from 'nats';
import { NatspocError } from '../../lib/errors.js';
import { onAbort } from '../../lib/on-abort.js';
import type { NatsHandles } from '../client/handles.js';
import { isFull, isUnknownOutcome, toNatspocError } from '../client/outcome.js';
import { PullReader } from './pull.js';
import type { ReadMessage } from './read-message.js';
import { messagesFrom } from './without-consumer.js';

const WINDOW = { messages: 512, bytes: 8 * 1_048_576 };
const HEARTBEAT_MS = 2_000;
const RETRY_MS = 250;

/** What to read. */
export interface ReadOptions {
  stream: string;
  filter: string;
  /** Default: the first sequence. */
  startSequence?: number | undefined;
  /** True: continue with new messages, and open another reader if a reader fails. False: end after the last stored message. */
  follow: boolean;
  headersOnly?: boolean | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Reads the messages of a stream in order, within a window, until the signal aborts. Without `follow`, reading also ends
 * after the last stored message.
 *
 * @throws NatspocError if the messages cannot be read (no stream, no permission). Without `follow`, a lost connection is an
 *   error too.
 */
export async function* readStream(handles: NatsHandles, options: ReadOptions): AsyncGenerator<ReadMessage> {
  const { stream, follow, signal } = options;
  for (let next = Math.max(1, options.startSequence ?? 1); !signal?.aborted; ) {
    try {
      for await (const message of readOnce(handles, options, next)) {
        yield message;
        next = message.sequence + 1;
      }
      return;
    } catch (error) {
      if (!follow && isFull(error)) return yield* readWithoutConsumer(handles, options, next);
      if (!follow || !isUnknownOutcome(error)) throw toNatspocError(error, `read ${stream}`);
      await delay(RETRY_MS, undefined, { signal }).catch(() => {});
    }
  }
}

/** Reads the stored messages of a stream that has no room for a consumer. */
async function* readWithoutConsumer(
  handles: NatsHandles,
  { stream, filter, signal }: ReadOptions,
  startSequence: number,
): AsyncGenerator<ReadMessage> {
  try {
    const { state } = await handles.manager.streams.info(stream);
    for await (const message of messagesFrom(handles, { stream, filter }, startSequence, state.last_seq)) {
      if (signal?.aborted) return;
      yield message;
    }
  } catch (error) {
    throw toNatspocError(error, `read ${stream}`);
  }
}

/** Reads through one consumer, until the messages end or the consumer fails. */
async function* readOnce(
  handles: NatsHandles,
  { stream, filter, follow, headersOnly, signal }: ReadOptions,
  startSequence: number,
): AsyncGenerator<ReadMessage> {
  const arrived: (ReadMessage & { pending: number })[] = [];
  let end: { error?: NatspocError } | undefined;
  let wake = (): void => {};
  const finish = (error?: NatspocError): void => {
    end ??= error ? { error } : {};
    wake();
  };
  const { reader, pending } = await PullReader.open(
    handles,
    {
      stream,
      name: `natspoc-read-${nuid.next()}`,
      filter,
      start: { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: startSequence },
      window: WINDOW,
      headersOnly,
      heartbeatMs: HEARTBEAT_MS,
    },
    {
      message: ({ subject, headers, data }, { streamSequence: sequence, timestampMs: atMs, pending }) => {
        arrived.push({ subject, headers, data, sequence, atMs, pending });
        wake();
      },
      gone: () => {
        if (!follow) finish();
      },
      fault: (reason, error) =>
        finish(error ?? new NatspocError('unreachable', `Could not read ${stream} to its end: ${reason}.`)),
    },
  );
  const forget = onAbort(signal, () => finish());
  try {
    reader.start();
    for (let left = pending; (follow || left > 0) && !signal?.aborted; ) {
      const next = arrived.shift();
      if (next) {
        left = Math.min(left - 1, next.pending);
        yield next;
        reader.release(1);
      } else if (end) {
        if (end.error) throw end.error;
        return;
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  } finally {
    forget();
    reader.close();
  }
}
