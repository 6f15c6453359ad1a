import type { Clock } from '../../lib/clock.js';

/**
 * The permission to start handlers and to commit. It ends at a set time, unless the protocol extends it. It is checked right before each
 * call and commit. So a process that was stopped starts no other call when it continues.
 */
export class Permit {
  readonly #clock: Clock;
  readonly #waiting = new Set<() => void>();
  #until = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The end of the permission, on this process's clock. */
  get until(): number {
    return this.#until;
  }

  /** True while handlers may start and positions may be committed. */
  get isOpen(): boolean {
    return this.#clock.now() < this.#until;
  }

  /** The same as {@link isOpen}, for a time that was just read from the clock. */
  isOpenAt(now: number): boolean {
    return now < this.#until;
  }

  /** Moves the end of the permission; -Infinity withdraws the permission. */
  extendTo(until: number): void {
    this.#until = until;
    if (!this.isOpen) return;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resume of waiting) queueMicrotask(resume);
  }

  /** Calls back once, when there is permission again. */
  whenOpen(resume: () => void): void {
    this.#waiting.add(resume);
  }
}
