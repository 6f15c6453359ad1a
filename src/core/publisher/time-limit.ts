import type { Slot } from './window.js';

/** An answer is overdue after this fraction of the timeout, but at most after `MAX_OVERDUE_MS`. */
const OVERDUE_PART = 1 / 3;
const MAX_OVERDUE_MS = 2_000;

/**
 * Decides when a message has waited too long. The time starts when the message is accepted. While the message waits to be sent, each
 * confirmation or final refusal of another message restarts its time. So a long queue fails only if the server is silent.
 */
export class TimeLimit {
  readonly #timeoutMs: number;
  readonly #overdueMs: number;
  #answeredMs = Number.NEGATIVE_INFINITY;

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
    this.#overdueMs = Math.min(timeoutMs * OVERDUE_PART, MAX_OVERDUE_MS);
  }

  /** Records that the server has confirmed a message, or has refused it for good. */
  answered(nowMs: number): void {
    this.#answeredMs = nowMs;
  }

  /** Starts the time of a message that is sent. A retry changes nothing. */
  start(slot: Slot): void {
    slot.sinceMs = this.#since(slot);
  }

  isOver(slot: Slot, nowMs: number): boolean {
    return nowMs - this.#since(slot) >= this.#timeoutMs;
  }

  /** True if the answer to the last attempt should have arrived by now. */
  isOverdue(slot: Slot, nowMs: number): boolean {
    return slot.sentMs <= nowMs - this.#overdueMs;
  }

  #since({ attempts, sinceMs }: Slot): number {
    return attempts === 0 ? Math.max(sinceMs, this.#answeredMs) : sinceMs;
  }
}
