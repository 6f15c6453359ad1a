import type { ReaderWindow } from '../../ports/index.js';
import { RequestLimits } from './request-limits.js';

/** Number of messages requested ahead of the running messages, initially and as long as this keeps handlers busy. */
const MIN_AHEAD = 64;
/** Limit of pending requests, far below the limit of the server. */
const MAX_REQUESTS = 128;

/**
 * Limit of messages that are requested and not delivered. On the connection they come before the answers to renewals. On a
 * machine that reads slowly, too many of them would end the member's permit.
 */
const MOST_OWED = 8_192;

/** A request; `maxBytes` undefined: no limit. */
export interface Order {
  batch: number;
  maxBytes: number | undefined;
}

/** How much one reader requests: at most its window, and no further ahead of the running messages than useful. */
export class PullBudget {
  #window: ReaderWindow;
  readonly #limits: RequestLimits;
  /** Messages handled in parallel, in addition to the first. */
  readonly #beside: number;
  #hasBegun = false;
  /** Messages requested and not delivered, over all pending requests. The server serves the requests in turn, one message each. */
  #owed = 0;
  /** Number of delivered messages, and for each pending request the number at which all earlier requests are served. */
  #delivered = 0;
  #turns: number[] = [];
  #held = 0;
  /**
   * How many messages to hold and request, beyond those handled in parallel. Grows up to the window while messages are
   * handled as fast as they arrive.
   */
  #ahead = MIN_AHEAD;
  /** Deliveries until the next adjustment. Since the last adjustment: messages released, and the fewest held beyond parallel ones. */
  #untilAdapt = MIN_AHEAD;
  #released = 0;
  #fewestBeyond = Number.POSITIVE_INFINITY;
  #averageBytes = 0;
  /** True if the next message is larger than the window: it is requested alone, without a limit. */
  #oversize = false;
  /** True if no held message can be handled: more are requested immediately. */
  #starving = false;

  /** `concurrency`: limit of messages handled in parallel. */
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
   * True if a request is pending and all earlier requests are served. If this process stood still, the server may have
   * waited for the pending request before the next delivery.
   */
  get isTurn(): boolean {
    while ((this.#turns[0] ?? this.#delivered) < this.#delivered) this.#turns.shift();
    return this.#turns[0] === this.#delivered;
  }

  /** Must be called before the first request. `held`: unsettled messages of the previous reader. */
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
   * What to request now, counted as owed from here on; undefined if nothing. Waits until half of the room ahead is free:
   * so there are few requests, and the server serves one while the next is in flight. To be called until it returns
   * undefined, because the server may limit a request.
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

  /** The size of a message. */
  weigh(bytes: number): void {
    this.#averageBytes = this.#averageBytes === 0 ? bytes : this.#averageBytes * 0.75 + bytes * 0.25;
  }

  /**
   * To be called after each delivery. Messages that wait in memory do not help a slow handler, and are delivered again
   * after a handover or a crash. So the number requested ahead follows the number handled.
   *
   * @returns true if the number was adjusted, so that there may be more to request.
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
   * Handlers are idle, because all buffered messages wait for running calls. Messages that they could handle are further
   * ahead.
   *
   * @returns true if more should be requested: no request is pending, and the window has room.
   */
  starve(): boolean {
    if (this.#owed > 0 || this.#held >= this.#window.messages) return false;
    // Enough for all handlers: handled messages that wait for an earlier message still count as held.
    const needed = this.#held - this.#beside + Math.max(MIN_AHEAD, this.#beside);
    this.#ahead = Math.min(Math.max(this.#ahead, needed), this.#mostAhead);
    this.#starving = true;
    return true;
  }

  /**
   * A request ended with `unserved` messages missing. `isTooSmall`: the next message does not fit into the whole window.
   */
  fallShort(unserved: number, isTooSmall: boolean): void {
    this.#owed -= unserved;
    this.#turns = [];
    // The same request would end the same way.
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
