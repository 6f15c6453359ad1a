import { type Clock, systemClock } from '../lib/clock.js';
import { messageOf, NatspocError } from '../lib/errors.js';
import { Tracing } from '../lib/tracing.js';
import { type Addressing, layoutAddressing, ownAddressing } from './addressing.js';
import { EnvelopeMaker, newIdPrefix, tooLarge } from './envelope.js';
import { isLimited, limited } from './limited.js';
import { Outcomes } from './outcomes.js';
import { checkMessage, givenId, isMessage } from './outgoing.js';
import type { PublisherOptions } from './publisher-options.js';
import { SlotQueue } from './slot-queue.js';
import { Transmitter } from './transmitter.js';
import type {
  Confirmation,
  OutgoingMessage,
  PublishCounters,
  PublishFailure,
  PublishLimits,
  PublishTrace,
} from './types.js';
import { WaitingLine } from './waiting-line.js';
import { Slot, type Waiter } from './window.js';

const DEFAULT_TIMEOUT_MS = 30_000;
const DEFAULT_PENDING_MESSAGES = 4_000;
const DEFAULT_PENDING_BYTES = 64 * 1024 * 1024;

const utf8 = new TextEncoder();

/** Throws outside the client's callbacks. An error inside them would stop the client's read loop. */
function surface(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}

/**
 * A pipelined publisher: many messages are in flight, and each is confirmed by the stream or reported as failed. After a break or a
 * temporary refusal, all unconfirmed messages are resent in their original order. New messages wait until then. This keeps the order within
 * each partition.
 */
export class Publisher {
  readonly #clock: Clock;
  readonly #addressing: Addressing;
  readonly #envelopes: EnvelopeMaker;
  readonly #outcomes: Outcomes;
  readonly #transmitter: Transmitter;
  readonly #tracing = new Tracing<PublishTrace>('natspoc:publish');
  readonly #idPrefix: string | undefined;
  readonly #room = new WaitingLine();
  readonly #idle = new WaitingLine();
  readonly #queue = new SlotQueue();
  #ids = 0;
  #closed = false;

  constructor(options: PublisherOptions) {
    const { layout, openPort, subjects = [] } = options;
    this.#addressing = layout ? layoutAddressing(layout) : ownAddressing(subjects);
    const { partitions } = this.#addressing;
    this.#clock = options.clock ?? systemClock;
    this.#envelopes = new EnvelopeMaker(partitions);
    const { observer = {}, duplicateWindowMs = Number.POSITIVE_INFINITY } = options;
    const { observerFailed = surface } = options;
    this.#outcomes = new Outcomes(partitions, observer, duplicateWindowMs, observerFailed);
    this.#idPrefix = options.dedupe ? newIdPrefix() : undefined;
    this.#transmitter = new Transmitter({
      openPort,
      clock: this.#clock,
      outcomes: this.#outcomes,
      partitions,
      timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
      maxPendingMessages: options.maxPendingMessages ?? DEFAULT_PENDING_MESSAGES,
      maxPendingBytes: options.maxPendingBytes ?? DEFAULT_PENDING_BYTES,
      ordered: options.ordered ?? false,
      onSettled: () => this.#onSettled(),
    });
  }

  /** Counters since the start. */
  get counters(): Readonly<PublishCounters> {
    return this.#outcomes.counters;
  }

  /** Number of accepted messages that are not yet confirmed and have not failed. */
  get pending(): number {
    return this.#transmitter.unsettled + this.#queue.size;
  }

  /** False while the connection is down. */
  get connected(): boolean {
    return this.#transmitter.connected;
  }

  /**
   * Publishes one message and waits for its confirmation. Many calls may wait at the same time.
   *
   * @param limits when this call stops waiting. The publisher's own timeout still applies.
   * @throws PublishError if the message is not confirmed: `usage`, `not-confirmed`, `not-permitted`, `unreachable`, or
   *   `failed` after `close`. The field `stored` of the error shows whether the message may be in the stream.
   */
  publish(message: OutgoingMessage, limits: PublishLimits = {}): Promise<Confirmation> {
    // An invalid message is not traced; `#publish` rejects it.
    if (!this.#tracing.isOn || !isMessage(message)) return this.#publish(message, limits);
    const headers = { ...message.headers };
    return this.#tracing.trace({ message, headers }, () => this.#publish({ ...message, headers }, limits));
  }

  #publish(message: OutgoingMessage, limits: PublishLimits): Promise<Confirmation> {
    return new Promise((resolve, reject) =>
      this.#accept(message, undefined, { resolve, reject }, isLimited(limits) ? limits : undefined),
    );
  }

  /**
   * The fast path: the outcome goes to the observer instead of a promise. If the window is full, returns a promise that resolves when there
   * is room. Await it before the next message; otherwise the queue grows.
   *
   * @param dueMs when the message was due, on the publisher's clock. The observer can compute the latency from it. Default: now.
   */
  send(message: OutgoingMessage, dueMs?: number): Promise<void> | undefined {
    this.#accept(message, dueMs, undefined);
    return this.#hasRoom ? undefined : this.#room.wait();
  }

  /** Resolves when every accepted message is confirmed or has failed. */
  async flush(): Promise<void> {
    while (this.pending > 0) await this.#idle.wait();
  }

  /** Accepts no more messages, and waits until every accepted message is confirmed or has failed. The connection stays open. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.flush();
    this.#transmitter.close(new NatspocError('failed', 'The publisher is closed.'));
  }

  /** Stops at once: every unconfirmed message fails. It fails as `unknown` if it may be stored, otherwise as `rejected`. */
  abandon(): void {
    this.#closed = true;
    this.#transmitter.close(
      new NatspocError('not-confirmed', 'The publisher was stopped before the confirmation arrived.'),
    );
  }

  get #hasRoom(): boolean {
    return this.#queue.size === 0 && this.#transmitter.hasRoom;
  }

  #accept(
    message: OutgoingMessage,
    dueMs: number | undefined,
    waiter: Waiter | undefined,
    limits?: PublishLimits,
  ): void {
    this.#outcomes.counters.accepted++;
    try {
      // The clock is read only once. At full speed, a read costs as much as the rest of this method.
      const nowMs = this.#clock.now();
      const slot = this.#prepare(message, dueMs ?? nowMs, waiter);
      slot.sinceMs = nowMs;
      if (waiter && limits)
        slot.waiter = limited(waiter, limits, this.#clock, (why) => this.#giveUp(slot, why));
      this.#enter(slot, nowMs);
    } catch (error) {
      this.#outcomes.failed(message, waiter, { outcome: 'rejected', error: asNatspocError(error) });
    }
  }

  #prepare(message: OutgoingMessage, dueMs: number, waiter: Waiter | undefined): Slot {
    if (this.#closed) throw new NatspocError('failed', 'The publisher is closed.');
    checkMessage(message);
    const given = givenId(message);
    const id = given ?? (this.#idPrefix === undefined ? undefined : this.#idPrefix + this.#ids++);
    const envelope = this.#envelopes.make(message, id, given === undefined);
    const place = this.#addressing.of(message, envelope.partition);
    const data = typeof message.data === 'string' ? utf8.encode(message.data) : message.data;
    const size = data.length + (envelope.headers?.length ?? 0);
    const { maxPayload } = this.#transmitter;
    if (size > maxPayload) throw new NatspocError('not-confirmed', tooLarge(size, maxPayload));
    const slot = this.#hasRoom ? this.#transmitter.freeSlot : new Slot();
    slot.message = message;
    slot.partition = place.partition;
    slot.subject = place.subject;
    slot.headers = envelope.headers;
    slot.data = data;
    slot.hasId = id !== undefined;
    slot.dueMs = dueMs;
    slot.waiter = waiter;
    return slot;
  }

  #enter(slot: Slot, nowMs: number): void {
    if (this.#hasRoom) this.#transmitter.admit(slot, nowMs);
    else this.#queue.add(slot);
  }

  #giveUp(slot: Slot, because: NatspocError): void {
    if (slot.state === 'queued') this.#dropQueued(slot, { outcome: 'rejected', error: because });
    else this.#transmitter.giveUp(slot, because);
  }

  #onSettled(): void {
    if (this.#queue.size > 0) this.#drainQueue();
    if (this.#room.isAwaited && this.#hasRoom) this.#room.open();
    if (this.#idle.isAwaited && this.pending === 0) this.#idle.open();
  }

  #drainQueue(): void {
    const nowMs = this.#clock.now();
    for (let next = this.#queue.first(); next !== undefined; next = this.#queue.first()) {
      const expiry = this.#transmitter.expiry(next, nowMs);
      if (expiry) {
        this.#dropQueued(next, expiry);
      } else {
        if (!this.#transmitter.hasRoom) return;
        this.#queue.remove(next);
        this.#transmitter.admit(next, nowMs);
      }
    }
  }

  #dropQueued(slot: Slot, failure: PublishFailure): void {
    const { message, waiter } = slot;
    this.#queue.remove(slot);
    slot.clear();
    this.#outcomes.failed(message, waiter, failure);
  }
}

/** Turns an error in the preparation of a message into a NatspocError. For example, a getter of the message may throw. */
const asNatspocError = (error: unknown): NatspocError =>
  error instanceof NatspocError ? error : new NatspocError('usage', messageOf(error), { cause: error });
