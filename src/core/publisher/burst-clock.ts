import type { Clock } from '../lib/clock.js';

/** Reads the clock once per burst. A burst can be hundreds of answers that arrive together. */
export class BurstClock {
  readonly #clock: Clock;
  #nowMs: number | undefined;
  readonly #end = () => {
    this.#nowMs = undefined;
  };

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The time at which this burst started. It stays the same until the running code returns to the event loop. */
  now(): number {
    if (this.#nowMs === undefined) {
      this.#nowMs = this.#clock.now();
      queueMicrotask(this.#end);
    }
    return this.#nowMs;
  }
}
