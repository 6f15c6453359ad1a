import type { ReaderWindow } from '../../ports/index.js';
import { RequestLimits } from './request-limits.js';

/** Messages requested ahead of the running ones at first, and as long as this keeps the handlers busy. */
const MIN_AHEAD = 64;
/** Limit of pending requests, far below the limit of the server. */
const MAX_REQUESTS = 128;

/** One request for messages; `maxBytes` undefined: whatever it takes. */
export interface Order {
  batch: number;
  maxBytes: number | undefined;
}

/** How much one reader requests: at most its window, and no further ahead of the running messages than is useful. */
export class PullBudget {
  #window: ReaderWindow;
  readonly #limits: RequestLimits;
  /** Messages that are handled side by side, beside the first. */
  readonly #beside: number;
  #hasBegun = false;
  /** Asked for and not delivered, over all requests that wait at the server: it serves them in turn, a message each. */
  #owed = 0;
  #held = 0;
  /** Messages to hold and to ask for, beyond those beside: grows to the window where they are taken as fast as they come. */
  #ahead = MIN_AHEAD;
  /** Deliveries until that is looked at again, how many were released in them, and the fewest held beyond. */
  #untilAdapt = MIN_AHEAD;
  #released = 0;
  #fewestBeyond = Number.POSITIVE_INFINITY;
  #averageBytes = 0;
  /** The next message is larger than the window: it has to come alone, without a limit. */
  #oversize = false;
  /** Nothing that is held can be taken up: more is asked for at once. */
  #starving = false;

  /** `concurrency`: limit of messages that are handled at the same time. */
  constructor(window: ReaderWindow, concurrency = 1, limits = new RequestLimits()) {
    this.#window = { ...window };
    this.#beside = concurrency - 1;
    this.#limits = limits;
  }

  /** True while a request waits at the server. */
  get isWaiting(): boolean {
    return this.#owed > 0;
  }

  /** Must be called before the first request. `held`: messages of an earlier reader that are not released yet. */
  begin(held: number): void {
    this.#hasBegun = true;
    this.#held = held;
  }

  release(messages: number): void {
    this.#held -= messages;
    this.#released += messages;
  }

  /** Requests under way are not taken back. */
  resize(window: ReaderWindow): void {
    this.#window = { ...window };
  }

  /**
   * What to ask for now, from here on owed; undefined: nothing. Once half of what is ahead is free, so that requests
   * stay few: one is served while the next is on its way. To be called until there is nothing more: the server may
   * limit a request.
   */
  order(): Order | undefined {
    if (!this.#hasBegun) return undefined;
    const order = this.#oversize ? this.#orderAlone() : this.#orderAhead();
    if (order) this.#owed += order.batch;
    return order;
  }

  /** A message has come. */
  deliver(): void {
    this.#held++;
    if (--this.#owed === 0) this.#oversize = false;
  }

  /** The size of a message. */
  weigh(bytes: number): void {
    this.#averageBytes = this.#averageBytes === 0 ? bytes : this.#averageBytes * 0.75 + bytes * 0.25;
  }

  /**
   * To be called after each delivery. A slow handler gains nothing from messages that wait in memory, and they would cost a
   * handover or a crash their second delivery. So what is asked for ahead follows what is taken.
   *
   * @returns true where it has been looked at, so that there may be more to ask for: a delivery alone makes no room.
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
   * Handlers are idle, because all buffered messages wait for running ones: messages that they could handle are further ahead.
   *
   * @returns true if more should be requested: no request is pending, and the window has room.
   */
  starve(): boolean {
    if (this.#owed > 0 || this.#held >= this.#window.messages) return false;
    const needed = this.#held - this.#beside + MIN_AHEAD;
    this.#ahead = Math.min(Math.max(this.#ahead, needed), this.#mostAhead);
    this.#starving = true;
    return true;
  }

  /** A request has ended with this many messages missing. `isTooSmall`: it allowed the whole window, but no message fitted. */
  fallShort(unserved: number, isTooSmall: boolean): void {
    this.#owed -= unserved;
    // It would be the same the next time.
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
    const batch = target - this.#held - this.#owed;
    const least = this.#starving ? 1 : Math.max(1, Math.min(target, this.#ahead) / 2);
    this.#starving = false;
    if (batch < least) return undefined;
    return { batch: Math.min(batch, this.#limits.messages), maxBytes: Math.min(bytes, this.#limits.bytes) };
  }
}
