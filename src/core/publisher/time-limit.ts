import type { Slot } from './window.js';

/**
 * Decides when a message has waited too long. The time starts when the message is accepted. While the message waits to be sent, each
 * confirmation or final refusal of another message restarts its time. So a long queue fails only if the server is silent.
 */
export class TimeLimit {
  readonly #timeoutMs: number;
  #answeredMs = Number.NEGATIVE_INFINITY;

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
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

  #since({ attempts, sinceMs }: Slot): number {
    return attempts === 0 ? Math.max(sinceMs, this.#answeredMs) : sinceMs;
  }
}
