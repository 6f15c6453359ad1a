import type { ReaderWindow } from '../ports.js';

/** So many messages are asked for ahead at first, and as long as that keeps the reader busy. */
const MIN_AHEAD = 64;

/** One request for messages; `maxBytes` undefined: whatever it takes. */
export interface Order {
  batch: number;
  maxBytes: number | undefined;
}

/** How much one reader asks for: no more than its window, and no further ahead than pays. */
export class Demand {
  #window: ReaderWindow;
  #hasBegun = false;
  /** Asked for and not delivered, over all requests that wait at the server: it serves them in turn, a message each. */
  #owed = 0;
  #held = 0;
  /** Messages to hold and to ask for: grows to the window where they are taken as fast as they come. */
  #ahead = MIN_AHEAD;
  /** Deliveries until that is looked at again, and the fewest held in them. */
  #untilAdapt = MIN_AHEAD;
  #fewestHeld = Number.POSITIVE_INFINITY;
  #averageBytes = 0;
  /** The next message is larger than the window: it has to come alone, without a limit. */
  #oversize = false;

  constructor(window: ReaderWindow) {
    this.#window = { ...window };
  }

  /** True while a request waits at the server. */
  get isWaiting(): boolean {
    return this.#owed > 0;
  }

  /** Nothing is asked for before. `held`: messages that an earlier reader delivered and nobody has released. */
  begin(held: number): void {
    this.#hasBegun = true;
    this.#held = held;
  }

  release(messages: number): void {
    this.#held -= messages;
  }

  /** Requests under way are not taken back. */
  resize(window: ReaderWindow): void {
    this.#window = { ...window };
  }

  /**
   * What to ask for now, from here on owed; undefined: nothing. Once half of the window is free, so that requests stay few: one
   * is served while the next is on its way.
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

  /** The size of a message; a sample is enough. */
  weigh(bytes: number): void {
    this.#averageBytes = this.#averageBytes === 0 ? bytes : this.#averageBytes * 0.75 + bytes * 0.25;
  }

  /**
   * To be called after each delivery. Whoever is slow gains nothing from messages that wait in memory, and they would cost a
   * handover or a crash their second delivery. So what is asked for ahead follows what is taken.
   *
   * @returns true where it has been looked at, so that there may be more to ask for: a delivery alone makes no room.
   */
  adapt(): boolean {
    if (this.#held < this.#fewestHeld) this.#fewestHeld = this.#held;
    if (--this.#untilAdapt > 0) return false;
    if (this.#held <= this.#ahead / 4) {
      this.#ahead = Math.min(this.#ahead * 2, Math.max(MIN_AHEAD, this.#window.messages));
    } else if (this.#fewestHeld > this.#ahead / 4) this.#ahead = Math.max(MIN_AHEAD, this.#ahead / 2);
    this.#untilAdapt = this.#ahead / 2;
    this.#fewestHeld = Number.POSITIVE_INFINITY;
    return true;
  }

  /** A request has ended with so many messages short. `isTooSmall`: it allowed the whole window, and nothing fitted. */
  fallShort(unserved: number, isTooSmall: boolean): void {
    this.#owed -= unserved;
    // It would be the same the next time.
    if (isTooSmall) this.#oversize = true;
  }

  #orderAlone(): Order | undefined {
    return this.#owed === 0 && this.#held === 0 ? { batch: 1, maxBytes: undefined } : undefined;
  }

  #orderAhead(): Order | undefined {
    const { messages, bytes } = this.#window;
    const byBytes = this.#averageBytes > 0 ? Math.floor(bytes / this.#averageBytes) : MIN_AHEAD;
    const target = Math.max(1, Math.min(messages, byBytes, this.#ahead));
    const batch = target - this.#held - this.#owed;
    return batch >= Math.max(1, target / 2) ? { batch, maxBytes: bytes } : undefined;
  }
}
