import type { Cancel, Clock } from '../lib/clock.js';

/**
 * Calls `onTick` at an interval until it returns false. After the process was stopped for a while, one call is skipped. So the process
 * first reads the answers in the socket, and then checks deadlines.
 */
export class Ticker {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #onTick: () => boolean;
  #cancel: Cancel | undefined;
  #dueMs = 0;

  /** @param onTick returns true to continue, false to stop until the next {@link start} */
  constructor(clock: Clock, intervalMs: number, onTick: () => boolean) {
    this.#clock = clock;
    this.#intervalMs = intervalMs;
    this.#onTick = onTick;
  }

  /** Does nothing if the ticker is running. */
  start(): void {
    if (this.#cancel === undefined) this.#arm();
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #arm(): void {
    this.#dueMs = this.#clock.now() + this.#intervalMs;
    this.#cancel = this.#clock.at(this.#dueMs, () => {
      const stalled = this.#clock.now() > this.#dueMs + this.#intervalMs;
      this.#cancel = undefined;
      // `onTick` may have started the ticker again.
      if (stalled || this.#onTick()) this.start();
    });
  }
}
