import { decodePosition } from '../../../src/core/protocol/position-records.js';
import type { Judge } from './judge.js';

/**
 * How often a message may end its process: twice before its owners become cautious, and twice afterwards. Faults of the bucket and new
 * layouts can reset this count.
 */
const DEATHS = 4;
/** Judges I13: messages that end their process, and messages that members blame for deaths. */
export class Poison {
  readonly #judge: Judge;
  readonly #deaths = new Map<number, number>();
  #ended: (deaths: number) => void = () => {};
  /** Messages that were recorded as tried in a position. */
  readonly #tried = new Set<number>();
  /** False if a fault of the bucket or another layout may have reset the counts of deaths. */
  readonly #countsLast: () => boolean;

  constructor(judge: Judge, countsLast: () => boolean) {
    this.#judge = judge;
    this.#countsLast = countsLast;
  }

  /** From now on this message ends its process. After each death `ended` is called with the number of deaths so far. */
  add(sequence: number, ended: (deaths: number) => void): void {
    this.#deaths.set(sequence, 0);
    this.#ended = ended;
  }

  resized(): void {
    for (const sequence of this.#deaths.keys()) this.#deaths.set(sequence, 0);
  }

  get isActive(): boolean {
    return this.#deaths.size > 0;
  }

  has(sequence: number): boolean {
    return this.#deaths.has(sequence);
  }

  /** Notes the message that a written position records as tried. */
  written(value: Uint8Array): void {
    const trying = decodePosition(value)?.trying;
    if (trying !== undefined) this.#tried.add(trying);
  }

  /** Called at the start of a call. Returns true if the message ends the process. */
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
   * A member fails a message because owners have died at it. From then on the message ends no process, as if the handler had a new version.
   */
  blamed(sequence: number): void {
    if (!this.#tried.has(sequence))
      this.#judge.violate('I13', `message ${sequence} is blamed for deaths, but no owner had recorded it`);
    this.#deaths.delete(sequence);
  }
}
