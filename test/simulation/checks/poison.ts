import { decodePosition } from '../../../src/core/protocol/position-records.js';
import type { Judge } from './judge.js';

/**
 * How often a message may end its process: twice before its owners become cautious, and then twice more. Faults of the bucket and new
 * layouts may reset this count.
 */
const DEATHS = 4;
/** Messages that end the process that handles them, and the messages that members blame for deaths: I13. */
export class Poison {
  readonly #judge: Judge;
  readonly #deaths = new Map<number, number>();
  #ended: (deaths: number) => void = () => {};
  /** Messages that were recorded as tried in a position. */
  readonly #tried = new Set<number>();
  /** Returns false if a fault of the bucket, or another layout, may have reset the counts of deaths. */
  readonly #countsLast: () => boolean;

  constructor(judge: Judge, countsLast: () => boolean) {
    this.#judge = judge;
    this.#countsLast = countsLast;
  }

  /** From now on this message ends its process. `ended` is called after each death with the number of deaths. */
  add(sequence: number, ended: (deaths: number) => void): void {
    this.#deaths.set(sequence, 0);
    this.#ended = ended;
  }

  /** A resize resets all counts of deaths. */
  resized(): void {
    for (const sequence of this.#deaths.keys()) this.#deaths.set(sequence, 0);
  }

  /** True while a poisonous message is not settled. */
  get isActive(): boolean {
    return this.#deaths.size > 0;
  }

  /** True if the message is poisonous and not settled. */
  has(sequence: number): boolean {
    return this.#deaths.has(sequence);
  }

  /** Notes the message that a written position records as tried. */
  written(value: Uint8Array): void {
    const trying = decodePosition(value)?.trying;
    if (trying !== undefined) this.#tried.add(trying);
  }

  /** Called when a call of this message has just started. Returns true if the message ends the process. */
  kills(sequence: number): boolean {
    const deaths = this.#deaths.get(sequence);
    if (deaths === undefined) return false;
    this.#deaths.set(sequence, deaths + 1);
    if (deaths >= DEATHS && this.#countsLast())
      this.#judge.violate('I13', `message ${sequence} ends its owner, which is death ${deaths + 1}`);
    this.#ended(deaths + 1);
    return true;
  }

  /**
   * A member fails a message because owners have died at this message. After the blame the message ends no process, as if the handler had a
   * new version.
   */
  blamed(sequence: number): void {
    if (!this.#tried.has(sequence))
      this.#judge.violate('I13', `message ${sequence} is blamed for deaths, but no owner had recorded it`);
    this.#deaths.delete(sequence);
  }
}
