import { messageOf, NatspocError } from '../lib/errors.js';
import { withoutStop } from '../lib/text.js';
import type { PublishPort, Rejection } from '../ports/publishing.js';
import { Backoff } from './backoff.js';
import { Breaks } from './breaks.js';
import { BurstClock } from './burst-clock.js';
import { OrderedLanes } from './ordered-lanes.js';
import { abandoned, denied, refused, timedOut } from './outcomes.js';
import { Ticker } from './ticker.js';
import { TimeLimit } from './time-limit.js';
import type { TransmitterOptions } from './transmitter-options.js';
import type { PublishFailure } from './types.js';
import { PendingWindow, type Slot } from './window.js';

const MAX_TICK_MS = 250;

/**
 * `flowing`: messages are sent as they arrive. `down`: no connection. `settling`: the server refused or lost a message. Nothing is sent
 * until all messages in flight are answered. `resting`: the wait between `settling` and the resend.
 */
type Mode = 'flowing' | 'down' | 'settling' | 'resting' | 'closed';

/**
 * Sends messages, matches answers, and checks deadlines. After any fault, it stops sending. Then it resends all unconfirmed messages,
 * oldest first, before any new message.
 */
export class Transmitter {
  readonly #options: TransmitterOptions;
  readonly #port: PublishPort;
  readonly #window: PendingWindow;
  readonly #ticker: Ticker;
  readonly #backoff: Backoff;
  readonly #answerClock: BurstClock;
  readonly #breaks: Breaks;
  readonly #timeLimit: TimeLimit;
  #mode: Mode = 'flowing';
  /** The message whose confirmation is being reported. An observer may close the publisher meanwhile. */
  #confirming: Slot | undefined;
  /** True while messages are given up. */
  #isGivingUp = false;
  #closedBecause = new NatspocError('failed', 'The publisher is closed.');

  constructor(options: TransmitterOptions) {
    this.#options = options;
    const lanes = options.ordered ? new OrderedLanes(options.partitions) : undefined;
    this.#window = new PendingWindow(options.maxPendingMessages, options.maxPendingBytes, lanes);
    this.#timeLimit = new TimeLimit(options.timeoutMs);
    this.#breaks = new Breaks(options.outcomes, options.clock);
    this.#backoff = new Backoff(options.clock);
    this.#answerClock = new BurstClock(options.clock);
    const tickMs = Math.min(MAX_TICK_MS, options.timeoutMs / 4);
    this.#ticker = new Ticker(options.clock, tickMs, () => this.#tick());
    this.#port = options.openPort({
      confirmed: (token, sequence, duplicate) => this.#onConfirmed(token, sequence, duplicate),
      rejected: (token, reason) => this.#onRejected(token, reason),
      elsewhere: (token, reason) => this.#onElsewhere(token, reason),
      denied: (subject) => this.#onDenied(subject),
      disconnected: (about) => {
        this.#breaks.broke(about);
        this.#onDisconnected();
      },
      reconnected: (server) => {
        this.#breaks.ended(server);
        this.#onReconnected();
      },
      closed: (error) => this.close(error),
    });
  }

  /** Number of messages in the window. */
  get unsettled(): number {
    return this.#window.unsettled;
  }

  get hasRoom(): boolean {
    return this.#window.hasRoom;
  }

  /** False while the connection is down. */
  get connected(): boolean {
    return this.#mode !== 'down' && this.#mode !== 'closed';
  }

  /** Size limit of one message, headers and payload together, in bytes. */
  get maxPayload(): number {
    return this.#port.maxPayload;
  }

  /** A slot to fill for {@link admit}. */
  get freeSlot(): Slot {
    return this.#window.free;
  }

  /** Adds a message to the window, and sends it as soon as possible. */
  admit(slot: Slot, nowMs: number): void {
    this.#window.take(slot);
    if (this.#mode === 'closed') {
      this.#fail(slot, abandoned(slot, this.#closedBecause));
      return;
    }
    if (this.#mode === 'flowing' && this.#window.isDue(slot)) this.#transmit(slot, nowMs);
    this.#ticker.start();
  }

  /**
   * Fails a message that its caller no longer waits for. If one signal or time ends many messages, queued messages are sent only after all
   * of them have ended.
   */
  giveUp(slot: Slot, because: NatspocError): void {
    this.#fail(slot, abandoned(slot, because));
    if (this.#isGivingUp) return;
    this.#isGivingUp = true;
    const { clock } = this.#options;
    clock.at(clock.now(), () => {
      this.#isGivingUp = false;
      this.#afterAnswer();
    });
  }

  /** The failure of a message whose time is over. */
  expiry(slot: Slot, nowMs: number): PublishFailure | undefined {
    if (!this.#timeLimit.isOver(slot, nowMs)) return undefined;
    return timedOut(slot, this.#options.timeoutMs, this.#mode === 'down');
  }

  /** Fails all messages in the window and closes the port. The connection stays open. */
  close(because: NatspocError): void {
    if (this.#mode === 'closed') return;
    this.#mode = 'closed';
    this.#closedBecause = because;
    this.#backoff.cancel();
    this.#ticker.stop();
    this.#port.close();
    for (const slot of this.#window.slots())
      if (slot !== this.#confirming) this.#fail(slot, abandoned(slot, this.#closedBecause));
    this.#options.onSettled();
  }

  #transmit(slot: Slot, nowMs: number): void {
    const { subject } = slot;
    try {
      if (!this.#port.send(subject, slot.token, slot.headers, slot.data)) {
        this.#onDisconnected();
        return;
      }
    } catch (cause) {
      // No answer will come.
      const error = new NatspocError('failed', `${subject}: not sent: ${withoutStop(messageOf(cause))}.`, {
        cause,
      });
      this.#fail(slot, abandoned(slot, error));
      queueMicrotask(() => this.#options.onSettled());
      return;
    }
    this.#timeLimit.start(slot);
    this.#window.sent(slot, nowMs);
    if (slot.attempts > 1) this.#options.outcomes.retried(slot, nowMs);
  }

  #resend(): void {
    this.#mode = 'flowing';
    const nowMs = this.#options.clock.now();
    for (const slot of this.#window.slots()) {
      if (this.#mode !== 'flowing') return;
      if (slot.state === 'waiting' && this.#window.isDue(slot)) this.#transmit(slot, nowMs);
    }
  }

  #onConfirmed(token: number, sequence: number, duplicate: boolean): void {
    const slot = this.#window.find(token);
    // The answer to an earlier attempt also confirms a message that waits to be resent.
    if (slot === undefined || slot.attempts === 0) return;
    this.#window.answered(slot);
    this.#backoff.reset();
    const nowMs = this.#answerClock.now();
    this.#timeLimit.answered(nowMs);
    this.#confirming = slot;
    this.#options.outcomes.confirmed(slot, sequence, duplicate, nowMs);
    this.#confirming = undefined;
    this.#window.settle(slot);
    this.#afterAnswer();
  }

  /**
   * Another stream or program answered. The message still waits for the intended stream. If that stream never answers, `reason` explains the
   * failure.
   */
  #onElsewhere(token: number, reason: Rejection): void {
    const slot = this.#window.find(token);
    if (slot !== undefined) slot.refusal = reason;
  }

  #onRejected(token: number, reason: Rejection): void {
    const slot = this.#window.find(token);
    if (slot === undefined || slot.state !== 'in-flight') return;
    this.#window.answered(slot);
    if (reason.retryable) {
      slot.refusal = reason;
      if (this.#mode === 'flowing') this.#mode = 'settling';
    } else {
      this.#timeLimit.answered(this.#answerClock.now());
      this.#fail(slot, refused(slot.subject, reason, slot.uncertain));
    }
    this.#afterAnswer();
  }

  #onDenied(subject: string): void {
    const isMeant = (slot: Slot) => slot.state === 'in-flight' && slot.subject === subject;
    const slots = [...this.#window.slots()].filter(isMeant);
    for (const slot of slots) {
      // An observer may have stopped the publisher in the meantime.
      if (!isMeant(slot)) continue;
      // The server does not name the message. If it accepted earlier messages, it may have accepted some of these, too.
      const maybeEarlier = slots.length > 1 && this.#options.outcomes.hasConfirmed(slot.partition);
      this.#fail(slot, denied(slot, maybeEarlier));
    }
    this.#afterAnswer();
  }

  #onDisconnected(): void {
    if (this.#mode === 'down' || this.#mode === 'closed') return;
    this.#mode = 'down';
    this.#backoff.cancel();
    for (const slot of this.#window.slots()) this.#window.lost(slot);
  }

  #onReconnected(): void {
    if (this.#mode === 'closed') return;
    this.#backoff.cancel();
    // Even a short break loses the answers to earlier messages.
    for (const slot of this.#window.slots()) this.#window.lost(slot);
    this.#resend();
  }

  #fail(slot: Slot, failure: PublishFailure): void {
    const { message, waiter } = slot;
    this.#window.settle(slot);
    this.#options.outcomes.failed(message, waiter, failure);
  }

  #afterAnswer(): void {
    if (this.#mode === 'flowing') {
      const ready = this.#window.takeReady();
      if (ready.length > 0) {
        const nowMs = this.#options.clock.now();
        for (const slot of ready) if (slot.state === 'waiting') this.#transmit(slot, nowMs);
      }
    }
    if (this.#mode === 'settling' && this.#window.inFlight === 0) {
      this.#mode = 'resting';
      this.#backoff.wait(() => this.#resend());
    }
    this.#options.onSettled();
  }

  /** Checks deadlines. Returns true while messages have deadlines. */
  #tick(): boolean {
    const nowMs = this.#options.clock.now();
    this.#expire(nowMs);
    this.#suspectLost(nowMs);
    this.#afterAnswer();
    return this.#window.unsettled > 0 && this.#mode !== 'closed';
  }

  #expire(nowMs: number): void {
    for (const slot of this.#window.slots()) {
      const expiry = this.expiry(slot, nowMs);
      if (expiry) this.#fail(slot, expiry);
    }
  }

  /**
   * Resends messages whose answers are overdue. If a message has an id, the stream detects a second copy. A message without an id is resent
   * only while the server refuses other messages. Then the leader has changed, and the answer is probably lost.
   */
  #suspectLost(nowMs: number): void {
    if (this.#mode !== 'flowing' && this.#mode !== 'settling') return;
    const refusing = this.#mode === 'settling';
    let lost = false;
    for (const slot of this.#window.slots()) {
      if ((slot.hasId || refusing) && slot.state === 'in-flight' && this.#timeLimit.isOverdue(slot, nowMs)) {
        this.#window.lost(slot);
        lost = true;
      }
    }
    if (lost) this.#mode = 'settling';
  }
}
