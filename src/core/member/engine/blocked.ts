/** What was called last, by which partition. */
export interface LastCall {
  partition: number;
  sequence: number;
}

/** A process that computed got at least this share of the time, also on a busy machine; one that was stopped got none. */
const COMPUTED = 0.1;

/** The event loop stood still: nothing was renewed, committed or answered meanwhile. */
export interface Blocked extends LastCall {
  forMs: number;
}

/**
 * Notices that the event loop was blocked, by a timer that comes late, though this process computed all the time: one that
 * was stopped computes nothing.
 */
export class BlockedLoop {
  readonly #afterMs: number;
  readonly #cpuMs: () => number;
  #cpuAt: number;

  /** @param afterMs how late is worth a word. @param cpuMs what this process has computed so far. */
  constructor(afterMs: number, cpuMs: () => number) {
    this.#afterMs = afterMs;
    this.#cpuMs = cpuMs;
    this.#cpuAt = cpuMs();
  }

  /** To be called by a timer that was due at `dueAt`. */
  look(now: number, dueAt: number, last: LastCall | undefined): Blocked | undefined {
    const computedMs = this.#cpuMs() - this.#cpuAt;
    this.#cpuAt += computedMs;
    const lateMs = now - dueAt;
    if (!last || lateMs < this.#afterMs || computedMs < lateMs * COMPUTED) return undefined;
    return { ...last, forMs: lateMs };
  }
}
