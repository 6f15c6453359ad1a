import { decodePosition } from '../../../src/core/protocol/position-records.js';
import type { Judge } from './judge.js';

/**
 * How often a message may end its process, apart from faults of the bucket and new layouts: twice before its
 * owners are cautious, then twice.
 */
const DEATHS = 4;
/** Messages that end the process that handles them, and the messages that members blame for deaths: I13. */
export class Poison {
  readonly #judge: Judge;
  readonly #deaths = new Map<number, number>();
  #ended: (deaths: number) => void = () => {};
  /** Messages that a position has named as tried. */
  readonly #tried = new Set<number>();
  /** False if a fault of the bucket, or another layout, may have reset counts. */
  readonly #countsLast: () => boolean;

  constructor(judge: Judge, countsLast: () => boolean) {
    this.#judge = judge;
    this.#countsLast = countsLast;
  }

  /** From now on this message ends its process. `ended` is called each time with the number of times. */
  add(sequence: number, ended: (deaths: number) => void): void {
    this.#deaths.set(sequence, 0);
    this.#ended = ended;
  }

  /** A resize starts all counts again. */
  resized(): void {
    for (const sequence of this.#deaths.keys()) this.#deaths.set(sequence, 0);
  }

  /** True while a poisonous message is not settled. */
  get isActive(): boolean {
    return this.#deaths.size > 0;
  }

  /** True for a poisonous message that is not settled. */
  has(sequence: number): boolean {
    return this.#deaths.has(sequence);
  }

  /** A position was written. */
  written(value: Uint8Array): void {
    const trying = decodePosition(value)?.trying;
    if (trying !== undefined) this.#tried.add(trying);
  }

  /** A call of this message has just started: true if it ends its process. */
  kills(sequence: number): boolean {
    const deaths = this.#deaths.get(sequence);
    if (deaths === undefined) return false;
    this.#deaths.set(sequence, deaths + 1);
    if (deaths >= DEATHS && this.#countsLast())
      this.#judge.violate('I13', `message ${sequence} ends its owner for the ${deaths + 1}th time`);
    this.#ended(deaths + 1);
    return true;
  }

  /**
   * A member fails a message because of the deaths of its owners. From then on the message is harmless, as
   * with a new version of the handler.
   */
  blamed(sequence: number): void {
    if (!this.#tried.has(sequence))
      this.#judge.violate('I13', `message ${sequence} is blamed for deaths of its owners, but none tried it`);
    this.#deaths.delete(sequence);
  }
}
