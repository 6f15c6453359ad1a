import type { ReaderWindow } from '../../ports/index.js';
import { RequestLimits } from './request-limits.js';

/** Smallest number of messages requested beyond those being handled. Also the initial number. */
const MIN_AHEAD = 64;
/** Maximum number of pending requests, far below the server's limit. */
const MAX_REQUESTS = 128;

/**
 * Maximum number of messages that are requested but not yet delivered. All of them may arrive before the answer to a
 * renewal. On a slow machine, that answer would then come after the end of the member's permit.
 */
const MOST_OWED = 8_192;

/** A request. If `maxBytes` is undefined, the bytes are not limited. */
export interface Order {
  batch: number;
  maxBytes: number | undefined;
}

/**
 * Decides how many messages one reader requests. The number follows the speed of the handlers, up to the reader's
 * window.
 */
export class PullBudget {
  #window: ReaderWindow;
  readonly #limits: RequestLimits;
  /** Maximum number of messages handled in parallel, minus one. */
  readonly #beside: number;
  #hasBegun = false;
  /**
   * Number of requested messages that are not delivered yet. The server serves the requests in turn, one message to
   * each.
   */
  #owed = 0;
  /**
   * Number of delivered messages. `#turns` holds one such number for each pending request. At this number, all earlier
   * requests are complete.
   */
  #delivered = 0;
  #turns: number[] = [];
  #held = 0;
  /**
   * Number of messages to hold or request beyond those handled in parallel. It grows while messages are handled as fast
   * as they arrive, at most to the size of the window.
   */
  #ahead = MIN_AHEAD;
  /** Number of deliveries until the next adjustment of `#ahead`. */
  #untilAdapt = MIN_AHEAD;
  /** Messages released since the last adjustment. */
  #released = 0;
  /** The lowest number of held messages since the last adjustment, beyond those handled in parallel. */
  #fewestBeyond = Number.POSITIVE_INFINITY;
  #averageBytes = 0;
  /** True if the next message is larger than the window. It is requested alone, without a byte limit. */
  #oversize = false;
  /** True if no held message can be handled now. The next request then does not wait until half of the room is free. */
  #starving = false;

  constructor(window: ReaderWindow, concurrency = 1, limits = new RequestLimits()) {
    this.#window = { ...window };
    this.#beside = concurrency - 1;
    this.#limits = limits;
  }

  get isWaiting(): boolean {
    return this.#owed > 0;
  }

  /** How many messages fit into the window, estimated from the size of the last messages. At least 1. */
  get capacity(): number {
    return Math.max(1, Math.min(this.#window.messages, this.#fitting));
  }

  /**
   * True if a request is pending and all earlier requests are complete. The server may then have waited for this
   * request, for example because this process was paused.
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

  /** Pending requests are not withdrawn. */
  resize(window: ReaderWindow): void {
    this.#window = { ...window };
  }

  /**
   * Returns the next request, if any, and counts its messages as owed. Call it until it returns undefined, because the
   * server may limit the size of a request. Normally, half of the room ahead must be free. So few requests are needed,
   * and the server still has one to serve while the next is in flight.
   */
  order(): Order | undefined {
    if (!this.#hasBegun) return undefined;
    const order = this.#oversize ? this.#orderAlone() : this.#orderAhead();
    if (!order) return undefined;
    this.#turns.push(this.#delivered + this.#owed);
    this.#owed += order.batch;
    return order;
  }

  deliver(): void {
    this.#held++;
    this.#delivered++;
    if (--this.#owed === 0) this.#oversize = false;
  }

  weigh(bytes: number): void {
    this.#averageBytes = this.#averageBytes === 0 ? bytes : this.#averageBytes * 0.75 + bytes * 0.25;
  }

  /**
   * Adjusts `#ahead` to the speed of the handlers. Call it after each delivery. Messages that wait in memory do not help
   * a slow handler. They are delivered again after a handover or a crash.
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
   * Call this method if handlers are idle because every buffered message waits for a running call. Messages for the idle
   * handlers are further ahead in the stream.
   *
   * @returns true if more messages should be requested.
   */
  starve(): boolean {
    if (this.#owed > 0 || this.#held >= this.#window.messages) return false;
    // Enough for all handlers. A handled message that waits for an earlier one still counts as held.
    const needed = this.#held - this.#beside + Math.max(MIN_AHEAD, this.#beside);
    this.#ahead = Math.min(Math.max(this.#ahead, needed), this.#mostAhead);
    this.#starving = true;
    return true;
  }

  /**
   * Call this method if a request ended without `unserved` of its messages. `isTooSmall`: the next message is larger
   * than the whole window.
   */
  fallShort(unserved: number, isTooSmall: boolean): void {
    this.#owed -= unserved;
    // The status does not say which request ended. If the oldest request ended, the next delivery answers a later request.
    if (unserved > 0) {
      const later = this.#turns.map((turn) => turn - unserved).filter((turn) => turn > this.#delivered);
      this.#turns = this.#owed > 0 ? [this.#delivered, ...later] : [];
    }
    if (isTooSmall) this.#oversize = true;
  }

  get #fitting(): number {
    return this.#averageBytes > 0 ? Math.floor(this.#window.bytes / this.#averageBytes) : MIN_AHEAD;
  }

  get #mostAhead(): number {
    return Math.max(MIN_AHEAD, this.#window.messages);
  }

  #orderAlone(): Order | undefined {
    return this.#owed === 0 && this.#held === 0 ? { batch: 1, maxBytes: undefined } : undefined;
  }

  #orderAhead(): Order | undefined {
    const { messages, bytes } = this.#window;
    const byRequests = this.#limits.messages * MAX_REQUESTS;
    const target = Math.max(1, Math.min(messages, this.#fitting, byRequests, this.#beside + this.#ahead));
    const batch = Math.min(target - this.#held, MOST_OWED) - this.#owed;
    const least = this.#starving ? 1 : Math.max(1, Math.min(target, this.#ahead, MOST_OWED) / 2);
    this.#starving = false;
    if (batch < least) return undefined;
    return { batch: Math.min(batch, this.#limits.messages), maxBytes: Math.min(bytes, this.#limits.bytes) };
  }
}
