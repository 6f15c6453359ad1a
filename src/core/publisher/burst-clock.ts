import type { Clock } from '../lib/clock.js';

/** Answers come in bursts of hundreds, read from the socket at once: one look at the clock for each burst. */
export class BurstClock {
  readonly #clock: Clock;
  #nowMs: number | undefined;
  readonly #end = () => {
    this.#nowMs = undefined;
  };

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The time at which this burst began: the same until the code that runs now returns to the event loop. */
  now(): number {
    if (this.#nowMs === undefined) {
      this.#nowMs = this.#clock.now();
      queueMicrotask(this.#end);
    }
    return this.#nowMs;
  }
}
