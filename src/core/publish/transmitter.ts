import type { Cancel, Clock } from '../clock.js';
import { NatspocError } from '../errors.js';
import type { Envelope } from './envelope.js';
import { type Outcomes, refused, timedOut } from './outcomes.js';
import type { OpenPublishPort, PublishPort, Rejection } from './port.js';
import type { OutgoingMessage, PublishFailure } from './types.js';
import { PendingWindow, type Slot, type Waiter } from './window.js';

/** Between attempts after the server refused one for the moment: doubles each time. */
const FIRST_BACKOFF_MS = 25;
const LAST_BACKOFF_MS = 1_000;
/** How often deadlines are looked at, at most. */
const MAX_TICK_MS = 250;
/** A message with an id is sent again when a live connection has not answered for this part of the timeout. */
const RESEND_AFTER = 1 / 3;

/** What a transmitter works with. Times in milliseconds. */
export interface TransmitterOptions {
  openPort: OpenPublishPort;
  clock: Clock;
  outcomes: Outcomes;
  /** Subject by partition. */
  subjects: readonly string[];
  timeoutMs: number;
  maxPendingMessages: number;
  maxPendingBytes: number;
  /** Called after one or more messages have left the window. */
  onSettled: () => void;
}

/**
 * `flowing`: messages are sent as they come. `down`: there is no connection. `settling`: the server refused or
 * lost a message; nothing is sent until all others are answered. `resting`: the back-off that follows.
 */
type Mode = 'flowing' | 'down' | 'settling' | 'resting' | 'closed';

/**
 * Carries admitted messages to the server and back: sends, matches answers, sees to deadlines. There is one
 * recovery for all faults: stop, then send everything unconfirmed again, oldest first, before anything new.
 */
export class Transmitter {
  readonly #options: TransmitterOptions;
  readonly #port: PublishPort;
  readonly #window: PendingWindow;
  readonly #tickMs: number;
  #mode: Mode = 'flowing';
  #inFlight = 0;
  #backoffMs = FIRST_BACKOFF_MS;
  #cancelBackoff: Cancel = () => {};
  #cancelTick: Cancel | undefined;
  #tickDueMs = 0;
  #closedBecause = '';
  #burstMs: number | undefined;
  readonly #endBurst = () => {
    this.#burstMs = undefined;
  };

  constructor(options: TransmitterOptions) {
    this.#options = options;
    this.#window = new PendingWindow(options.maxPendingMessages, options.maxPendingBytes);
    this.#tickMs = Math.min(MAX_TICK_MS, Math.max(1, options.timeoutMs / 4));
    this.#port = options.openPort({
      confirmed: (token, sequence, duplicate) => this.#onConfirmed(token, sequence, duplicate),
      rejected: (token, reason) => this.#onRejected(token, reason),
      denied: (subject) => this.#onDenied(subject),
      disconnected: () => this.#onDisconnected(),
      reconnected: () => this.#onReconnected(),
      closed: (reason) => this.close(reason),
    });
  }

  /** Messages in the window. */
  get unsettled(): number {
    return this.#window.unsettled;
  }

  /** True if one more message may be admitted. */
  get hasRoom(): boolean {
    return this.#window.hasRoom;
  }

  /** False while the connection is down. */
  get connected(): boolean {
    return this.#mode !== 'down' && this.#mode !== 'closed';
  }

  /** Bytes of headers and payload that one message may have. */
  get maxPayload(): number {
    return this.#port.maxPayload;
  }

  /**
   * Takes a message into the window and sends it as soon as its turn comes. Arguments as in
   * {@link PendingWindow.take}: an object for each message would cost more than the rest of this.
   */
  admit(
    message: OutgoingMessage,
    envelope: Envelope,
    data: Uint8Array,
    hasId: boolean,
    dueMs: number,
    waiter: Waiter | undefined,
  ): void {
    const nowMs = this.#options.clock.now();
    const slot = this.#window.take(message, envelope, data, hasId, dueMs, nowMs, waiter);
    if (this.#mode === 'flowing') this.#transmit(slot);
    else if (this.#mode === 'closed') this.#fail(slot, this.#closedFailure(slot));
    if (this.#cancelTick === undefined && this.#window.unsettled > 0) this.#armTick();
  }

  /** Fails what is in the window and lets go of the port. The connection is the caller's. */
  close(reason: string): void {
    if (this.#mode === 'closed') return;
    this.#mode = 'closed';
    this.#closedBecause = reason;
    this.#cancelBackoff();
    this.#cancelTick?.();
    this.#port.close();
    for (const slot of this.#window.slots()) this.#fail(slot, this.#closedFailure(slot));
    this.#options.onSettled();
  }

  #transmit(slot: Slot): void {
    const { subjects, outcomes, clock } = this.#options;
    const subject = subjects[slot.partition] ?? '';
    const nowMs = slot.attempts === 0 ? slot.admittedMs : clock.now();
    if (!this.#port.send(subject, slot.token, slot.headers, slot.data)) {
      this.#onDisconnected();
      return;
    }
    slot.attempts++;
    slot.state = 'in-flight';
    slot.sentMs = nowMs;
    this.#inFlight++;
    if (slot.attempts === 2) outcomes.counters.retried++;
    if (slot.uncertain && !slot.hasId && !slot.countedTwice) {
      slot.countedTwice = true;
      outcomes.counters.maybeTwice++;
    }
  }

  #resend(): void {
    this.#mode = 'flowing';
    for (const slot of this.#window.slots()) {
      if (this.#mode !== 'flowing') return;
      if (slot.state === 'waiting') this.#transmit(slot);
    }
  }

  #onConfirmed(token: number, sequence: number, duplicate: boolean): void {
    const slot = this.#window.find(token);
    // Also one that waits to be sent again: the answer to the first attempt is as good.
    if (slot === undefined || slot.attempts === 0) return;
    this.#leaveFlight(slot);
    this.#backoffMs = FIRST_BACKOFF_MS;
    this.#options.outcomes.confirmed(slot, sequence, duplicate, this.#answerTime());
    this.#window.settle(slot);
    this.#afterAnswer();
  }

  /** Answers come in bursts of hundreds, read from the socket at once: one look at the clock for each burst. */
  #answerTime(): number {
    if (this.#burstMs === undefined) {
      this.#burstMs = this.#options.clock.now();
      queueMicrotask(this.#endBurst);
    }
    return this.#burstMs;
  }

  #onRejected(token: number, reason: Rejection): void {
    const slot = this.#window.find(token);
    if (slot === undefined || slot.state !== 'in-flight') return;
    this.#leaveFlight(slot);
    if (reason.retryable) {
      slot.refusal = reason;
      if (this.#mode === 'flowing') this.#mode = 'settling';
    } else {
      this.#fail(slot, refused(this.#subjectOf(slot), reason, slot.uncertain));
    }
    this.#afterAnswer();
  }

  #onDenied(subject: string): void {
    const error = new NatspocError('not-permitted', `Not permitted to publish to ${subject}.`);
    for (const slot of this.#window.slots()) {
      if (slot.state === 'in-flight' && this.#subjectOf(slot) === subject) {
        this.#leaveFlight(slot);
        this.#fail(slot, { outcome: 'rejected', error });
      }
    }
    this.#afterAnswer();
  }

  #onDisconnected(): void {
    if (this.#mode === 'down' || this.#mode === 'closed') return;
    this.#mode = 'down';
    this.#cancelBackoff();
    for (const slot of this.#window.slots()) this.#lost(slot);
  }

  #onReconnected(): void {
    if (this.#mode === 'closed') return;
    this.#cancelBackoff();
    // A break can be over before it was noticed; what was sent before it is lost all the same.
    for (const slot of this.#window.slots()) this.#lost(slot);
    this.#resend();
  }

  /** Nobody will answer this attempt any more. */
  #lost(slot: Slot): void {
    if (slot.state !== 'in-flight') return;
    this.#leaveFlight(slot);
    slot.uncertain = true;
  }

  #leaveFlight(slot: Slot): void {
    if (slot.state !== 'in-flight') return;
    slot.state = 'waiting';
    this.#inFlight--;
  }

  #fail(slot: Slot, failure: PublishFailure): void {
    if (slot.state === 'in-flight') this.#inFlight--;
    const { message, waiter } = slot;
    this.#window.settle(slot);
    this.#options.outcomes.failed(message, waiter, failure);
  }

  #afterAnswer(): void {
    if (this.#mode === 'settling' && this.#inFlight === 0) {
      this.#mode = 'resting';
      const { clock } = this.#options;
      this.#cancelBackoff = clock.at(clock.now() + this.#backoffMs, () => this.#resend());
      this.#backoffMs = Math.min(LAST_BACKOFF_MS, this.#backoffMs * 2);
    }
    this.#options.onSettled();
  }

  #armTick(): void {
    const { clock } = this.#options;
    this.#tickDueMs = clock.now() + this.#tickMs;
    this.#cancelTick = clock.at(this.#tickDueMs, () => this.#tick());
  }

  #tick(): void {
    this.#cancelTick = undefined;
    const nowMs = this.#options.clock.now();
    // This process itself stood still: answers may be waiting in the socket, and are read before we judge.
    const stalled = nowMs > this.#tickDueMs + this.#tickMs;
    if (!stalled) {
      this.#expire(nowMs);
      this.#suspectLost(nowMs);
      this.#afterAnswer();
    }
    if (this.#window.unsettled > 0 && this.#mode !== 'closed') this.#armTick();
  }

  #expire(nowMs: number): void {
    const { timeoutMs } = this.#options;
    for (const slot of this.#window.slots()) {
      // Admitted in order, so the first that still has time ends the search.
      if (slot.admittedMs + timeoutMs > nowMs) return;
      this.#fail(slot, timedOut(this.#subjectOf(slot), slot, timeoutMs, this.#mode === 'down'));
    }
  }

  /** A message with an id whose answer is overdue is sent again: at worst the server calls it a duplicate. */
  #suspectLost(nowMs: number): void {
    if (this.#mode !== 'flowing' && this.#mode !== 'settling') return;
    const overdueMs = nowMs - this.#options.timeoutMs * RESEND_AFTER;
    let lost = false;
    for (const slot of this.#window.slots()) {
      if (slot.hasId && slot.state === 'in-flight' && slot.sentMs <= overdueMs) {
        this.#lost(slot);
        lost = true;
      }
    }
    if (lost) this.#mode = 'settling';
  }

  #subjectOf(slot: Slot): string {
    return this.#options.subjects[slot.partition] ?? '';
  }

  #closedFailure(slot: Slot): PublishFailure {
    const outcome = slot.uncertain || slot.state === 'in-flight' ? 'unknown' : 'rejected';
    return { outcome, error: new NatspocError('unreachable', this.#closedBecause) };
  }
}
