import type { ReaderWindow } from '../../ports/index.js';
import { RequestLimits } from './request-limits.js';

/** Initial and minimum number of messages that are requested in addition to the messages being handled. */
const MIN_AHEAD = 64;
/** Maximum number of pending requests, far below the server's limit. */
const MAX_REQUESTS = 128;

/**
 * Maximum number of messages that are requested but not yet delivered. The server may send all owed messages before the
 * answer to a renewal. On a machine that reads slowly, the answer to a renewal would then arrive after the end of the
 * member's permit.
 */
const MOST_OWED = 8_192;

/** A request. If `maxBytes` is undefined, the bytes are not limited. */
export interface Order {
  batch: number;
  maxBytes: number | undefined;
}

/**
 * Decides how many messages one reader requests. The limit is the reader's window; within the window, the number of
 * requested messages follows the speed of the handlers.
 */
export class PullBudget {
  #window: ReaderWindow;
  readonly #limits: RequestLimits;
  /** Maximum number of messages handled in parallel, minus one. */
  readonly #beside: number;
  #hasBegun = false;
  /**
   * Number of messages in all pending requests that are not delivered yet. The server serves the requests in turn, one
   * message to each.
   */
  #owed = 0;
  /**
   * Number of delivered messages. For each pending request, `#turns` contains the number of deliveries after which all
   * earlier requests are complete.
   */
  #delivered = 0;
  #turns: number[] = [];
  #held = 0;
  /**
   * Number of messages to hold or request in addition to the messages handled in parallel. The number grows, at most to the
   * size of the window, while messages are handled as fast as they arrive.
   */
  #ahead = MIN_AHEAD;
  /** Number of deliveries until the next adjustment of `#ahead`. */
  #untilAdapt = MIN_AHEAD;
  /** Number of messages released since the last adjustment. */
  #released = 0;
  /** The lowest number of held messages since the last adjustment, not counting the messages handled in parallel. */
  #fewestBeyond = Number.POSITIVE_INFINITY;
  #averageBytes = 0;
  /** True if the next message is larger than the window. An oversize message is requested alone, without a byte limit. */
  #oversize = false;
  /** True if no held message can be handled now. The next request then does not wait until half of the room is free. */
  #starving = false;

  /** `concurrency`: maximum number of messages handled in parallel. */
  constructor(window: ReaderWindow, concurrency = 1, limits = new RequestLimits()) {
    this.#window = { ...window };
    this.#beside = concurrency - 1;
    this.#limits = limits;
  }

  /** True while a request is pending. */
  get isWaiting(): boolean {
    return this.#owed > 0;
  }

  /**
   * True if a request is pending and all earlier requests are complete. The server may then have had no request to serve
   * until the pending request arrived, for example because this process was stopped for a time.
   */
  get isTurn(): boolean {
    while ((this.#turns[0] ?? this.#delivered) < this.#delivered) this.#turns.shift();
    return this.#turns[0] === this.#delivered;
  }

  /** Call this method before the first request. `held`: messages of the previous reader that are not released yet. */
  begin(held: number): void {
    this.#hasBegun = true;
    this.#held = held;
  }

  release(messages: number): void {
    this.#held -= messages;
    this.#released += messages;
  }

  /** Changes the window; pending requests are not withdrawn. */
  resize(window: ReaderWindow): void {
    this.#window = { ...window };
  }

  /**
   * Returns the next request and counts its messages as owed; undefined if nothing should be requested now. Normally, a
   * request is made only when half of the room ahead is free. So few requests are needed, and the server still has one
   * request to serve while the next request is in flight. Call this method until it returns undefined, because the server
   * may limit the size of a request.
   */
  order(): Order | undefined {
    if (!this.#hasBegun) return undefined;
    const order = this.#oversize ? this.#orderAlone() : this.#orderAhead();
    if (!order) return undefined;
    this.#turns.push(this.#delivered + this.#owed);
    this.#owed += order.batch;
    return order;
  }

  /** A message was delivered. */
  deliver(): void {
    this.#held++;
    this.#delivered++;
    if (--this.#owed === 0) this.#oversize = false;
  }

  /** Adds the size of a delivered message to the average. */
  weigh(bytes: number): void {
    this.#averageBytes = this.#averageBytes === 0 ? bytes : this.#averageBytes * 0.75 + bytes * 0.25;
  }

  /**
   * Adjusts `#ahead`. Call this method after each delivery. Messages that wait in memory do not help a slow handler, and
   * are delivered again after a handover or a crash. So the number of messages requested ahead adapts to the speed of the
   * handlers.
   *
   * @returns true after an adjustment, because more messages may then be requested.
   */
  adapt(): boolean {
    const beyond = this.#held - this.#beside;
    if (beyond < this.#fewestBeyond) this.#fewestBeyond = beyond;
    if (--this.#untilAdapt > 0) return false;
    const isTaken = beyond <= this.#ahead / 4 && this.#released >= this.#ahead / 4;
    if (isTaken) this.#ahead = Math.min(this.#ahead * 2, this.#mostAhead);
    else if (this.#fewestBeyond > this.#ahead / 4) this.#ahead = Math.max(MIN_AHEAD, this.#ahead / 2);
    this.#untilAdapt = this.#ahead / 2;
    this.#released = 0;
    this.#fewestBeyond = Number.POSITIVE_INFINITY;
    return true;
  }

  /**
   * Call this method if handlers are idle because every buffered message waits for a running call. The messages that the
   * idle handlers could process are further ahead in the stream.
   *
   * @returns true if no request is pending and the window has room, so that more messages should be requested.
   */
  starve(): boolean {
    if (this.#owed > 0 || this.#held >= this.#window.messages) return false;
    // Enough messages are requested for all handlers. A handled message that waits for an earlier message still counts as
    // held.
    const needed = this.#held - this.#beside + Math.max(MIN_AHEAD, this.#beside);
    this.#ahead = Math.min(Math.max(this.#ahead, needed), this.#mostAhead);
    this.#starving = true;
    return true;
  }

  /**
   * Call this method if a request ended and `unserved` of its messages were not sent. `isTooSmall`: the next message is
   * larger than the whole window.
   */
  fallShort(unserved: number, isTooSmall: boolean): void {
    this.#owed -= unserved;
    // The status does not say which request ended. If the oldest request ended, the next delivery answers a later request.
    if (unserved > 0) {
      const later = this.#turns.map((turn) => turn - unserved).filter((turn) => turn > this.#delivered);
      this.#turns = this.#owed > 0 ? [this.#delivered, ...later] : [];
    }
    // A repeated request with the same byte limit would fail in the same way.
    if (isTooSmall) this.#oversize = true;
  }

  get #mostAhead(): number {
    return Math.max(MIN_AHEAD, this.#window.messages);
  }

  #orderAlone(): Order | undefined {
    return this.#owed === 0 && this.#held === 0 ? { batch: 1, maxBytes: undefined } : undefined;
  }

  #orderAhead(): Order | undefined {
    const { messages, bytes } = this.#window;
    const byBytes = this.#averageBytes > 0 ? Math.floor(bytes / this.#averageBytes) : MIN_AHEAD;
    const byRequests = this.#limits.messages * MAX_REQUESTS;
    const target = Math.max(1, Math.min(messages, byBytes, byRequests, this.#beside + this.#ahead));
    const batch = Math.min(target - this.#held, MOST_OWED) - this.#owed;
    const least = this.#starving ? 1 : Math.max(1, Math.min(target, this.#ahead, MOST_OWED) / 2);
    this.#starving = false;
    if (batch < least) return undefined;
    return { batch: Math.min(batch, this.#limits.messages), maxBytes: Math.min(bytes, this.#limits.bytes) };
  }
}
