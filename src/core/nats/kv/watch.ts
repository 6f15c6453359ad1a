import { DeliverPolicy, type Msg, nuid } from 'nats';
import { type Cancel, type Clock, systemClock } from '../../lib/clock.js';
import type { Watch, WatchSink } from '../../ports/index.js';
import type { BucketEntry } from '../../protocol/entries.js';
import { mayPass } from '../client/gone.js';
import type { NatsHandles } from '../client/handles.js';
import { API_ERRORS, apiErrorCode, isLimit, toNatspocError } from '../client/outcome.js';
import { PLACEMENT_MS, within } from '../client/placement.js';
import { closedByUs, closedError, watchConnection } from '../client/watch-connection.js';
import type { DeliveryInfo } from '../jetstream/delivery.js';
import { PullReader } from '../jetstream/pull.js';
import { bucketStream, bucketSubject, valueIn } from './bucket.js';

const HEARTBEAT_MS = 1_000;
/** Minimum time between the opening of two readers. */
const RETRY_MS = 250;
/** Interval at which a watch is compared with the bucket's newest entry. A watch can get heartbeats but no entries. */
const POLL_MS = 3_000;
/** After this time without progress, a snapshot is read again. */
const SNAPSHOT_STALL_MS = 2_000;
/** If the server announced more entries and none arrives for this time, the watch is compared too. */
const STALL_MS = 50;

/**
 * Follows part of a bucket. A reader starts at the last value of each key. After each fault, a new reader reads a new
 * snapshot.
 */
export class BucketWatch implements Watch {
  readonly #handles: NatsHandles;
  readonly #clock: Clock;
  readonly #bucket: string;
  readonly #filter: string;
  readonly #sink: WatchSink;
  readonly #keyAt: number;
  #reader: PullReader | undefined;
  #snapshot: BucketEntry[] | undefined;
  #changes: BucketEntry[] = [];
  #lastRevision = 0;
  /** Number of entries that still wait on the server, as of the last delivery. */
  #pending = 0;
  #cancelRetry: Cancel | undefined;
  #cancelPoll: Cancel | undefined;
  #cancelStall: Cancel | undefined;
  #cancelIncomplete: Cancel | undefined;
  /** The lowest number of missing snapshot entries so far. */
  #fewestPending = 0;
  #stopped = false;
  #unwatch: (() => void) | undefined;
  #opening = false;
  #openedAt = Number.NEGATIVE_INFINITY;
  readonly #hasWatched: () => boolean;

  /** `hasWatched` returns true if this program has received a snapshot of the bucket, from any watch. */
  constructor(
    handles: NatsHandles,
    bucket: string,
    prefix: string,
    sink: WatchSink,
    hasWatched: () => boolean,
  ) {
    this.#handles = handles;
    this.#hasWatched = hasWatched;
    this.#clock = handles.clock ?? systemClock;
    this.#bucket = bucket;
    this.#filter = bucketSubject(bucket, `${prefix}>`);
    this.#keyAt = bucketSubject(bucket, '').length;
    this.#sink = sink;
  }

  start(): void {
    this.#unwatch = watchConnection(this.#handles.connection, {
      closed: (error) => {
        if (!this.#stopped) this.#sink.failed(error ? closedError(error) : closedByUs());
      },
    });
    this.#poll();
    void this.#open();
  }

  stop(): void {
    this.#stopped = true;
    this.#unwatch?.();
    this.#cancelRetry?.();
    this.#cancelPoll?.();
    this.#cancelStall?.();
    this.#cancelIncomplete?.();
    this.#reader?.close();
  }

  #after(delayMs: number, callback: () => void): Cancel {
    return this.#clock.at(this.#clock.now() + delayMs, callback);
  }

  #poll(): void {
    this.#cancelPoll = this.#after(POLL_MS, () => {
      this.#poll();
      void this.#compareWithNewest();
    });
  }

  async #open(): Promise<void> {
    if (this.#opening || this.#stopped) return;
    this.#opening = true;
    this.#openedAt = this.#clock.now();
    this.#snapshot = [];
    this.#lastRevision = 0;
    try {
      const opening = PullReader.open(
        this.#handles,
        {
          stream: bucketStream(this.#bucket),
          name: `natspoc-watch-${nuid.next()}`,
          filter: this.#filter,
          start: { deliver_policy: DeliverPolicy.LastPerSubject },
          window: { messages: 4_096, bytes: 4_194_304 },
          heartbeatMs: HEARTBEAT_MS,
        },
        {
          message: (message, delivery) => this.#receive(message, delivery),
          fault: (_reason, error) => {
            if (error && !this.#stopped) this.#sink.failed(error);
            else this.#reopen();
          },
        },
      );
      const { reader, pending } = await this.#inTime(opening);
      this.#reader = reader;
      if (this.#stopped) reader.close();
      else {
        if (pending === 0) this.#completeSnapshot();
        else this.#awaitRest(pending);
        reader.start();
      }
    } catch (error) {
      const passes = await this.#mayPass(error);
      this.#opening = false;
      if (this.#stopped) return;
      if (passes) this.#reopen();
      else this.#sink.failed(toNatspocError(error, `watch bucket ${this.#bucket}`));
    }
    this.#opening = false;
  }

  /**
   * True if the error may be temporary. Before the program's first snapshot, a limit counts as a configuration error.
   * Later, an operator may raise the limit, or other clients may free room.
   */
  async #mayPass(error: unknown): Promise<boolean> {
    if (isLimit(error)) return this.#hasWatched();
    return mayPass(error, this.#handles, bucketStream(this.#bucket));
  }

  /** Waits for a reader that is being opened. A reader that opens after the timeout is closed again. */
  #inTime(opening: ReturnType<typeof PullReader.open>): ReturnType<typeof PullReader.open> {
    return within(opening, PLACEMENT_MS, this.#clock).catch((error: unknown) => {
      opening.then(
        ({ reader }) => reader.close(),
        () => {},
      );
      throw error;
    });
  }

  #reopen(): void {
    // A closed connection never reconnects.
    if (this.#stopped || this.#handles.connection.isClosed()) return;
    this.#reader = undefined;
    this.#cancelIncomplete?.();
    this.#cancelRetry?.();
    const delayMs = Math.max(0, this.#openedAt + RETRY_MS - this.#clock.now());
    this.#cancelRetry = this.#after(delayMs, () => void this.#open());
  }

  #receive(message: Msg, delivery: DeliveryInfo): void {
    const entry: BucketEntry = {
      key: message.subject.slice(this.#keyAt),
      revision: delivery.streamSequence,
      value: valueIn(message.headers, message.data),
    };
    this.#lastRevision = Math.max(this.#lastRevision, entry.revision);
    this.#pending = delivery.pending;
    this.#reader?.release(1);
    if (this.#snapshot) {
      this.#snapshot.push(entry);
      if (delivery.pending === 0) this.#completeSnapshot();
      else if (delivery.pending < this.#fewestPending) this.#awaitRest(delivery.pending);
      return;
    }
    if (delivery.pending > 0) this.#awaitNext();
    // All entries from one read of the socket form one batch, so that 1,000 entries cause one plan, not 1,000.
    this.#changes.push(entry);
    if (this.#changes.length === 1) {
      queueMicrotask(() => {
        const changes = this.#changes;
        this.#changes = [];
        if (changes.length > 0 && !this.#stopped) this.#sink.changes(changes);
      });
    }
  }

  /** Waits for an entry that the server has announced. The wait is short, because the entry may belong to a handover. */
  #awaitNext(): void {
    if (this.#stopped || this.#cancelStall) return;
    const known = this.#lastRevision;
    this.#cancelStall = this.#after(STALL_MS, () => {
      this.#cancelStall = undefined;
      if (this.#pending === 0) return;
      if (this.#lastRevision === known) void this.#compareWithNewest();
      else this.#awaitNext();
    });
  }

  /**
   * Ends the wait for a complete snapshot if no further entry arrives. The server may miss an entry that it counted (see
   * {@link #compareWithNewest}), or another client may delete one. Heartbeats and changes keep arriving, so nothing else
   * would end the wait.
   */
  #awaitRest(pending: number): void {
    this.#fewestPending = pending;
    this.#cancelIncomplete?.();
    this.#cancelIncomplete = this.#after(SNAPSHOT_STALL_MS, () => {
      if (this.#snapshot) this.#reader?.fail('the snapshot was incomplete');
    });
  }

  #completeSnapshot(): void {
    this.#cancelIncomplete?.();
    const entries = this.#snapshot ?? [];
    this.#snapshot = undefined;
    this.#changes = [];
    if (!this.#stopped) this.#sink.snapshot(entries);
  }

  async #compareWithNewest(): Promise<void> {
    const before = this.#reader;
    if (!before || this.#snapshot || this.#handles.connection.isClosed()) return;
    const known = this.#lastRevision;
    const isUnchanged = (): boolean => this.#lastRevision === known && this.#reader === before;
    try {
      const newest = await this.#handles.manager.streams.getMessage(bucketStream(this.#bucket), {
        last_by_subj: this.#filter,
      });
      // The watch is behind in two cases. First, it has not delivered the newest entry, which was stored before this
      // request. Second, the newest entry has arrived, but the server still announces more. Server 2.9 was seen to miss
      // one of two entries stored within a millisecond, and never to deliver it.
      const isBehind = newest.seq > known || (newest.seq === known && this.#pending > 0);
      // A lower revision: the newest entry was removed without a marker, or the bucket was restored from an older copy.
      if ((isBehind || newest.seq < known) && isUnchanged()) before.fail('behind');
    } catch (error) {
      if (apiErrorCode(error) === API_ERRORS.messageNotFound && known > 0 && isUnchanged())
        before.fail('the bucket was purged');
      if (apiErrorCode(error) !== API_ERRORS.streamNotFound) return;
      const passes = await this.#mayPass(error);
      if (!passes && !this.#stopped) this.#sink.failed(toNatspocError(error, `watch bucket ${this.#bucket}`));
    }
  }
}
