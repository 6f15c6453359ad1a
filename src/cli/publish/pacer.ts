/** Overdue messages are sent at most at this multiple of the rate. */
const CATCH_UP_FACTOR = 2;
/** A burst has at most the messages of this time, because timers of a busy event loop are often this late. */
const BURST_MS = 20;
/** If the next message is overdue by more than this, the schedule moves until the message is overdue by exactly this time. */
const MAX_LAG_MS = 1_000;

/**
 * A schedule of evenly spaced messages. Due times count from the start, so that delays of timers do not add up. After a stall, overdue
 * messages are sent at no more than twice the rate. What is overdue by more than a second is dropped, and counted in `missedMs`.
 */
export class Pacer {
  readonly #intervalMs: number;
  readonly #burst: number;
  #startMs: number;
  #taken = 0;
  #allowance: number;
  #allowanceAtMs: number;
  #missedMs = 0;

  /** @param perSecond messages per second: above 0, may be a fraction. The first message is due at `startMs`. */
  constructor(perSecond: number, startMs: number) {
    this.#intervalMs = 1_000 / perSecond;
    this.#burst = Math.max(1, BURST_MS / this.#intervalMs);
    this.#startMs = startMs;
    this.#allowance = this.#burst;
    this.#allowanceAtMs = startMs;
  }

  /** How much of the schedule was dropped after stalls, in milliseconds. */
  get missedMs(): number {
    return this.#missedMs;
  }

  /**
   * Takes the next message off the schedule if it may be sent now.
   *
   * @returns when the message was due (at or before `nowMs`); `undefined`: ask again at {@link nextMs}
   */
  take(nowMs: number): number | undefined {
    let dueMs = this.#startMs + this.#taken * this.#intervalMs;
    if (dueMs > nowMs) return undefined;
    const behindMs = nowMs - dueMs - MAX_LAG_MS;
    if (behindMs > 0) {
      this.#startMs += behindMs;
      this.#missedMs += behindMs;
      dueMs += behindMs;
    }
    const earned = ((nowMs - this.#allowanceAtMs) / this.#intervalMs) * CATCH_UP_FACTOR;
    this.#allowance = Math.min(this.#burst, this.#allowance + earned);
    this.#allowanceAtMs = nowMs;
    if (this.#allowance < 1) return undefined;
    this.#allowance--;
    this.#taken++;
    return dueMs;
  }

  /** The earliest moment at which {@link take} may succeed. */
  nextMs(): number {
    const dueMs = this.#startMs + this.#taken * this.#intervalMs;
    const missing = Math.max(0, 1 - this.#allowance);
    return Math.max(dueMs, this.#allowanceAtMs + (missing * this.#intervalMs) / CATCH_UP_FACTOR);
  }
}
