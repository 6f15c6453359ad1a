import { type Clock, systemClock } from '../lib/clock.js';
import { messageOf, NatspocError } from '../lib/errors.js';
import type { OpenPublishPort } from '../ports/publishing.js';
import { type Layout, partitionSubject } from '../protocol/layout.js';
import { EnvelopeMaker, newIdPrefix, tooLarge } from './envelope.js';
import { Outcomes } from './outcomes.js';
import { checkMessage, givenId } from './outgoing.js';
import { Transmitter } from './transmitter.js';
import type { Confirmation, OutgoingMessage, PublishCounters, PublishObserver } from './types.js';
import { WaitingLine } from './waiting-line.js';
import { Slot, type Waiter } from './window.js';

/** How a {@link Publisher} behaves. */
export interface PublisherOptions {
  /** The stream's layout: decides partitions and subjects. */
  layout: Pick<Layout, 'prefix' | 'partitions'>;
  /** The connection, in the form of a port. */
  openPort: OpenPublishPort;
  /**
   * A message that is not confirmed this long after it entered the window has failed, retries included. Default 30,000:
   * a cluster that has lost a server elects new leaders after 4 to 9 s, and refuses everything until then.
   */
  timeoutMs?: number;
  /** Messages in the window: accepted and not confirmed. Default 4,000. */
  maxPendingMessages?: number;
  /** Bytes in the window, headers and payloads. Default 64 MiB. */
  maxPendingBytes?: number;
  /** Gives each message without an id one of its own, so that a retry is never stored twice. */
  dedupe?: boolean;
  /** How long the stream detects duplicate ids: a later retry may be stored twice. Default: forever. */
  duplicateWindowMs?: number;
  /**
   * Sends the next message of a partition when the one before is confirmed: the order holds whatever happens to the
   * server, for as many messages on their way as there are partitions. Default false: many, in order unless the
   * leader of a cluster dies with some of them. Give `dedupe` as well, or a retry may be stored twice.
   */
  ordered?: boolean;
  /** Told how each message ended. */
  observer?: PublishObserver;
  clock?: Clock;
}

const DEFAULT_TIMEOUT_MS = 30_000;
const DEFAULT_PENDING_MESSAGES = 4_000;
const DEFAULT_PENDING_BYTES = 64 * 1024 * 1024;

const utf8 = new TextEncoder();

/**
 * A pipelined publisher: many messages on their way at once, each one confirmed by the stream or reported as
 * failed. After a break of the connection, or when the server refused for a moment, everything unconfirmed is
 * sent again in its first order and ahead of anything new, so that the order within each partition holds.
 */
export class Publisher {
  readonly #clock: Clock;
  readonly #envelopes: EnvelopeMaker;
  readonly #outcomes: Outcomes;
  readonly #transmitter: Transmitter;
  readonly #idPrefix: string | undefined;
  readonly #room = new WaitingLine();
  readonly #idle = new WaitingLine();
  /** Accepted while the window was full; taken from `#queueHead` on. */
  #queue: Slot[] = [];
  #queueHead = 0;
  #ids = 0;
  #closed = false;

  constructor(options: PublisherOptions) {
    const { layout, openPort } = options;
    this.#clock = options.clock ?? systemClock;
    this.#envelopes = new EnvelopeMaker(layout.partitions);
    const { observer = {}, duplicateWindowMs = Number.POSITIVE_INFINITY } = options;
    this.#outcomes = new Outcomes(layout.partitions, observer, duplicateWindowMs);
    this.#idPrefix = options.dedupe ? newIdPrefix() : undefined;
    this.#transmitter = new Transmitter({
      openPort,
      clock: this.#clock,
      outcomes: this.#outcomes,
      subjects: Array.from({ length: layout.partitions }, (_, p) => partitionSubject(layout.prefix, p)),
      timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
      maxPendingMessages: options.maxPendingMessages ?? DEFAULT_PENDING_MESSAGES,
      maxPendingBytes: options.maxPendingBytes ?? DEFAULT_PENDING_BYTES,
      ordered: options.ordered ?? false,
      onSettled: () => this.#onSettled(),
    });
  }

  /** What has happened so far. The object is live: it changes. */
  get counters(): Readonly<PublishCounters> {
    return this.#outcomes.counters;
  }

  /** Messages that are accepted and neither confirmed nor failed. */
  get pending(): number {
    return this.#transmitter.unsettled + this.#queue.length - this.#queueHead;
  }

  /** False while the connection is down. */
  get connected(): boolean {
    return this.#transmitter.connected;
  }

  /**
   * Publishes one message and waits for its confirmation. Any number may be waited for at once.
   *
   * @throws NatspocError why it is not confirmed: `usage`, `not-confirmed`, `not-permitted`, `unreachable`,
   *   or `failed` after `close`.
   */
  publish(message: OutgoingMessage): Promise<Confirmation> {
    return new Promise((resolve, reject) => this.#accept(message, undefined, { resolve, reject }));
  }

  /**
   * The fast path: sends a message; how it ends is told to the observer. It always accepts; a promise comes
   * back when the window is full, and a caller that awaits it before the next message uses constant memory.
   *
   * @param dueMs when it should have been sent, on the publisher's clock: latency counts from here; by default now
   */
  send(message: OutgoingMessage, dueMs?: number): Promise<void> | undefined {
    this.#accept(message, dueMs, undefined);
    return this.#hasRoom ? undefined : this.#room.wait();
  }

  /** Resolves when no message is in flight any more: each is confirmed or has failed. */
  async flush(): Promise<void> {
    while (this.pending > 0) await this.#idle.wait();
  }

  /** Accepts no more messages, waits for messages in flight, and detaches from the connection, which stays open. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.flush();
    this.#transmitter.close(new NatspocError('failed', 'The publisher is closed.'));
  }

  /** Gives up messages in flight: they fail now, as never sent or as unknown. */
  abandon(): void {
    this.#closed = true;
    this.#transmitter.close(
      new NatspocError('not-confirmed', 'The publisher was stopped before the confirmation came.'),
    );
  }

  get #hasRoom(): boolean {
    return this.#queue.length === 0 && this.#transmitter.hasRoom;
  }

  #accept(message: OutgoingMessage, dueMs: number | undefined, waiter: Waiter | undefined): void {
    this.#outcomes.counters.accepted++;
    try {
      // One look at the clock a message: at full speed it is as dear as the rest of this.
      const nowMs = this.#clock.now();
      this.#prepare(message, dueMs ?? nowMs, nowMs, waiter);
    } catch (error) {
      this.#outcomes.failed(message, waiter, { outcome: 'rejected', error: asNatspocError(error) });
    }
  }

  #prepare(message: OutgoingMessage, dueMs: number, nowMs: number, waiter: Waiter | undefined): void {
    if (this.#closed) throw new NatspocError('failed', 'The publisher is closed.');
    checkMessage(message);
    const given = givenId(message);
    const id = given ?? (this.#idPrefix === undefined ? undefined : this.#idPrefix + this.#ids++);
    const envelope = this.#envelopes.make(message, id, given === undefined);
    const data = typeof message.data === 'string' ? utf8.encode(message.data) : message.data;
    const size = data.length + (envelope.headers?.length ?? 0);
    const { maxPayload } = this.#transmitter;
    if (size > maxPayload) throw new NatspocError('not-confirmed', tooLarge(size, maxPayload));
    const hasRoom = this.#hasRoom;
    const slot = hasRoom ? this.#transmitter.freeSlot : new Slot();
    slot.message = message;
    slot.partition = envelope.partition;
    slot.headers = envelope.headers;
    slot.data = data;
    slot.hasId = id !== undefined;
    slot.dueMs = dueMs;
    slot.waiter = waiter;
    if (hasRoom) this.#transmitter.admit(slot, nowMs);
    else this.#queue.push(slot);
  }

  #onSettled(): void {
    if (this.#queue.length > 0) this.#drainQueue();
    if (this.#room.isAwaited && this.#hasRoom) this.#room.open();
    if (this.#idle.isAwaited && this.pending === 0) this.#idle.open();
  }

  #drainQueue(): void {
    const nowMs = this.#clock.now();
    while (this.#queueHead < this.#queue.length && this.#transmitter.hasRoom) {
      const next = this.#queue[this.#queueHead++];
      if (next === undefined) break;
      this.#transmitter.admit(next, nowMs);
    }
    // What is taken is dropped in large pieces: a shift for each would move the whole queue each time.
    if (this.#queueHead * 2 >= this.#queue.length) {
      this.#queue = this.#queue.slice(this.#queueHead);
      this.#queueHead = 0;
    }
  }
}

/** What was thrown while a message was prepared: ours, or by the message itself, such as by a getter. */
const asNatspocError = (error: unknown): NatspocError =>
  error instanceof NatspocError ? error : new NatspocError('usage', messageOf(error), { cause: error });
