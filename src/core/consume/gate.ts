import type { Clock } from '../clock.js';

/**
 * The permission to start handlers and to commit, as a time that the protocol moves forward. Everything that
 * has an effect asks here right before it, so that a process that slept does nothing when it wakes.
 */
export class Gate {
  readonly #clock: Clock;
  readonly #waiting = new Set<() => void>();
  #until = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** True while handlers may start and positions may be committed. */
  get isOpen(): boolean {
    return this.#clock.now() < this.#until;
  }

  /** Moves the end of the permission; -Infinity closes. */
  permit(until: number): void {
    this.#until = until;
    if (!this.isOpen) return;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resume of waiting) queueMicrotask(resume);
  }

  /** Calls back once, when the permission is there again. */
  whenOpen(resume: () => void): void {
    this.#waiting.add(resume);
  }
}
