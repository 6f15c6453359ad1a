import type { Call } from '../model/handler.js';
import type { Judge } from './judge.js';

/** A message that ends its process may do so this often, faults of the bucket aside: twice before its owners are cautious, then twice. */
const DEATHS = 4;
/** Deaths with the call of a message, before it may be blamed. */
const EVIDENCE = 2;

/** Messages that end the process that handles them, and the messages that members blame for deaths: I13. */
export class Poison {
  readonly #judge: Judge;
  readonly #deaths = new Map<number, number>();
  /** The epochs under which a call of a message has started and not ended, by sequence. */
  readonly #unfinished = new Map<number, Set<number>>();
  /** False while a fault of the bucket may have reset counts. */
  readonly #countsLast: () => boolean;

  constructor(judge: Judge, countsLast: () => boolean) {
    this.#judge = judge;
    this.#countsLast = countsLast;
  }

  /** From now on this message ends its process. */
  add(sequence: number): void {
    this.#deaths.set(sequence, 0);
  }

  /** A resize starts all counts again. */
  resized(): void {
    for (const sequence of this.#deaths.keys()) this.#deaths.set(sequence, 0);
  }

  /** True while a poisonous message is not dealt with. */
  get isActive(): boolean {
    return this.#deaths.size > 0;
  }

  started({ sequence, epoch }: Call): void {
    let epochs = this.#unfinished.get(sequence);
    if (!epochs) {
      epochs = new Set();
      this.#unfinished.set(sequence, epochs);
    }
    epochs.add(epoch);
  }

  ended({ sequence, epoch }: Call): void {
    const epochs = this.#unfinished.get(sequence);
    epochs?.delete(epoch);
    if (epochs?.size === 0) this.#unfinished.delete(sequence);
  }

  /** A call of this message has just started: true if it ends its process. */
  kills(sequence: number): boolean {
    const deaths = this.#deaths.get(sequence);
    if (deaths === undefined) return false;
    this.#deaths.set(sequence, deaths + 1);
    if (deaths >= DEATHS && this.#countsLast())
      this.#judge.violate('I13', `message ${sequence} ends its owner for the ${deaths + 1}th time`);
    return true;
  }

  /** A member gives up a message for the deaths of its owners. It is cured, as by a new version of its handler. */
  blamed(sequence: number): void {
    const deaths = this.#unfinished.get(sequence)?.size ?? 0;
    if (deaths < EVIDENCE)
      this.#judge.violate(
        'I13',
        `message ${sequence} is blamed for deaths of its owners, but ended ${deaths}`,
      );
    this.#deaths.delete(sequence);
  }
}
