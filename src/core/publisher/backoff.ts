import type { Cancel, Clock } from '../lib/clock.js';

const FIRST_MS = 25;
const LAST_MS = 1_000;

/** Waits between attempts: each time twice as long, up to a second, until something succeeds. */
export class Backoff {
  readonly #clock: Clock;
  #nextMs = FIRST_MS;
  #cancel: Cancel = () => {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `attempt` when the wait is over. One wait at a time. */
  wait(attempt: () => void): void {
    this.#cancel = this.#clock.at(this.#clock.now() + this.#nextMs, attempt);
    this.#nextMs = Math.min(LAST_MS, this.#nextMs * 2);
  }

  /** Gives up the wait that is on, if any. */
  cancel(): void {
    this.#cancel();
  }

  /** Something succeeded: the next wait is short again. */
  reset(): void {
    this.#nextMs = FIRST_MS;
  }
}
