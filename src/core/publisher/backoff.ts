import type { Cancel, Clock } from '../lib/clock.js';

const FIRST_MS = 25;
const LAST_MS = 1_000;

/** Waits between attempts. Each wait is twice as long as the previous wait, up to a second. */
export class Backoff {
  readonly #clock: Clock;
  #nextMs = FIRST_MS;
  #cancel: Cancel = () => {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  wait(attempt: () => void): void {
    this.#cancel = this.#clock.at(this.#clock.now() + this.#nextMs, attempt);
    this.#nextMs = Math.min(LAST_MS, this.#nextMs * 2);
  }

  cancel(): void {
    this.#cancel();
  }

  /** Makes the next wait short again. */
  reset(): void {
    this.#nextMs = FIRST_MS;
  }
}
