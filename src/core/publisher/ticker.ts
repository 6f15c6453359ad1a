import type { Cancel, Clock } from '../lib/clock.js';

/**
 * Calls back at an interval while there is something to look at. After the process itself stood still it lets
 * one turn pass: what arrived meanwhile is still in the socket, and is read before anybody judges.
 */
export class Ticker {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #onTick: () => boolean;
  #cancel: Cancel | undefined;
  #dueMs = 0;

  /** @param onTick returns true to go on, false to stop until the next {@link start} */
  constructor(clock: Clock, intervalMs: number, onTick: () => boolean) {
    this.#clock = clock;
    this.#intervalMs = intervalMs;
    this.#onTick = onTick;
  }

  /** Starts, if it does not run already. */
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
      if (stalled || this.#onTick()) this.#arm();
    });
  }
}
