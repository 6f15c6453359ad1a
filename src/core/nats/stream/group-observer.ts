import { DeliverPolicy } from 'nats';
import type {
  DeadLetterFacts,
  EndFacts,
  MessageFacts,
  PastEntry,
  PositionFacts,
  ReaderFacts,
  StatsFacts,
  StreamFacts,
  WaitingFacts,
} from '../../ports/facts.js';
import type { Watch, WatchSink } from '../../ports/index.js';
import type { GroupObserver } from '../../ports/observer.js';
import { keys, partitionIn } from '../../protocol/keys.js';
import {
  KEY_HEADER,
  partitionOfSubject,
  partitionSubject,
  partitionWildcard,
} from '../../protocol/layout.js';
import { readerNamePrefix } from '../../protocol/reader-name.js';
import { decodePosition, madeOn, unreadableAs } from '../../protocol/records.js';
import { toNatspocError } from '../client/outcome.js';
import { type FetchOptions, fetchAll, fetchMessages } from '../jetstream/fetch.js';
import { storedAt } from '../jetstream/stream-identity.js';
import { BucketPast } from '../kv/bucket-past.js';
import { collectStats } from '../service/member-stats.js';
import { deadLetterFacts } from './dead-letter-facts.js';
import { partitionEnds } from './partition-ends.js';
import { streamFacts } from './stream-facts.js';
import type { Topology } from './topology.js';

const PREVIEW_BYTES = 512;
/** Where messages are larger than this on average, only their headers are read. */
const LARGE_MESSAGE_BYTES = 16_384;

const utf8 = new TextDecoder('utf-8', { fatal: true });
/** The beginning of a payload as text; a character that the cut splits is left out. */
function previewOf(data: Uint8Array): string | null {
  for (let end = Math.min(data.length, PREVIEW_BYTES), cuts = 0; cuts < 4 && end >= 0; end--, cuts++) {
    try {
      return utf8.decode(data.subarray(0, end));
    } catch {
      if (end === data.length) return null;
    }
  }
  return null;
}

/** Looks at a stream and a group on a real server, and changes nothing there. */
export class NatsGroupObserver implements GroupObserver {
  readonly #topology: Topology;
  readonly #past: BucketPast;
  readonly #group: string;
  readonly #timeoutMs: number;

  constructor(topology: Topology, options: { bucket: string; group: string; timeoutMs: number }) {
    this.#topology = topology;
    this.#past = new BucketPast(topology, options);
    this.#group = options.group;
    this.#timeoutMs = options.timeoutMs;
  }

  watch(sink: WatchSink): Watch {
    return this.#topology.bucket.watch(keys.groupPrefix(this.#group), sink);
  }

  history(): Promise<PastEntry[]> {
    return this.#past.newest();
  }

  leaseHistory(partition: number): Promise<PastEntry[]> {
    return this.#past.ofLease(partition);
  }

  entries(): Promise<PastEntry[]> {
    return this.#past.now();
  }

  proofs(): Promise<PastEntry[]> {
    return this.#past.proofs();
  }

  async positions(): Promise<PositionFacts[]> {
    const prefix = keys.positionPrefix(this.#group);
    const start = { deliver_policy: DeliverPolicy.LastPerSubject };
    const stored = await this.#past.fetch(`${prefix}>`, { start });
    return stored.flatMap(({ key, value, atMs }) => {
      const partition = partitionIn(key.slice(prefix.length));
      if (value === null || partition === undefined) return [];
      const record = decodePosition(value);
      return record
        ? [
            {
              partition,
              sequence: record.seq,
              epoch: record.epoch,
              atMs,
              ...madeOn(record),
              ...(record.trimmed !== undefined && { trimmed: record.trimmed }),
            },
          ]
        : [{ partition, sequence: 0, epoch: 0, atMs, unreadable: unreadableAs(value) }];
    });
  }

  async stream(): Promise<StreamFacts> {
    const { manager, stream, layout } = this.#topology;
    const query = { subjects_filter: partitionWildcard(layout.prefix) };
    try {
      return streamFacts(await manager.streams.info(stream, query), this.#topology.connection, layout);
    } catch (error) {
      throw toNatspocError(error, `look at stream ${stream}`);
    }
  }

  deadLetters(known: DeadLetterFacts | null): Promise<DeadLetterFacts> {
    const { stream, layout } = this.#topology;
    return deadLetterFacts(this.#topology, { stream, prefix: layout.prefix }, known);
  }

  async readers(epochs: ReadonlyMap<number, number>): Promise<ReaderFacts[]> {
    const { manager, stream } = this.#topology;
    const wanted = new Map(
      [...epochs].map(([partition, epoch]) => [readerNamePrefix(this.#group, partition, epoch), partition]),
    );
    const facts: ReaderFacts[] = [];
    if (wanted.size === 0) return facts;
    try {
      for await (const info of manager.consumers.list(stream)) {
        // A server lists null for a consumer that is deleted while it makes the list.
        const partition = info ? wanted.get(info.name.slice(0, info.name.lastIndexOf('-') + 1)) : undefined;
        if (partition === undefined) continue;
        const { delivered, num_pending: pending } = info;
        const { stream_seq: deliveredSequence, consumer_seq: deliveredCount } = delivered;
        const epoch = epochs.get(partition) ?? 0;
        facts.push({ partition, epoch, deliveredSequence, deliveredCount, pending });
      }
    } catch (error) {
      throw toNatspocError(error, `list the readers of stream ${stream}`);
    }
    return facts;
  }

  storedTime(sequence: number): Promise<number | undefined> {
    return storedAt(this.#topology, this.#topology.stream, sequence);
  }

  ends(): Promise<EndFacts[]> {
    return partitionEnds(this.#topology, this.#timeoutMs);
  }

  async waiting(partition: number, after: number): Promise<WaitingFacts> {
    const { available } = await fetchMessages(this.#topology, this.#behind(partition, after, 0));
    return { partition, after, count: available };
  }

  async sequences(partition: number, after: number, limit: number): Promise<number[]> {
    const { messages } = await fetchAll(this.#topology, this.#behind(partition, after, limit));
    return messages.map(({ delivery }) => delivery.streamSequence);
  }

  async storedAt(partition: number, after: number): Promise<number | null> {
    const { messages, serverAheadMs } = await fetchAll(this.#topology, this.#behind(partition, after, 1));
    const [first] = messages;
    return first ? first.delivery.timestampMs - serverAheadMs : null;
  }

  async messages(stream: StreamFacts, after: number, limit: number): Promise<MessageFacts[]> {
    const { layout } = this.#topology;
    if (stream.messages === 0 || stream.lastSequence <= after) return [];
    const start = Math.max(after + 1, stream.lastSequence - limit + 1, stream.firstSequence);
    const { messages, serverAheadMs } = await fetchMessages(this.#topology, {
      stream: stream.name,
      filter: partitionWildcard(layout.prefix),
      start: { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: start },
      limit,
      headersOnly: stream.bytes / stream.messages > LARGE_MESSAGE_BYTES,
      timeoutMs: this.#timeoutMs,
    });
    return messages.map(({ message, delivery }) => {
      const leftOut = Number(message.headers?.get('Nats-Msg-Size') || Number.NaN);
      return {
        sequence: delivery.streamSequence,
        partition: partitionOfSubject(layout.prefix, message.subject) ?? null,
        subject: message.subject,
        atMs: delivery.timestampMs - serverAheadMs,
        key: message.headers?.get(KEY_HEADER) || null,
        size: Number.isNaN(leftOut) ? message.data.length : leftOut,
        preview: Number.isNaN(leftOut) ? previewOf(message.data) : '',
      };
    });
  }

  stats(sessions: readonly string[], waitMs: number): Promise<StatsFacts> {
    const { connection, stream, inboxPrefix } = this.#topology;
    return collectStats(connection, { stream, group: this.#group, inboxPrefix }, sessions, waitMs);
  }

  /** The messages of a partition behind a sequence. */
  #behind(partition: number, after: number, limit: number): FetchOptions {
    const { layout, stream } = this.#topology;
    return {
      stream,
      filter: partitionSubject(layout.prefix, partition),
      start: { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: after + 1 },
      limit,
      headersOnly: true,
      timeoutMs: this.#timeoutMs,
    };
  }
}
