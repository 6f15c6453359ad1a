/** The last call of a handler. */
export interface LastCall {
  partition: number;
  sequence: number;
}

/** Even on a busy machine, a process that computes gets at least this share of the elapsed time as processor time. */
const COMPUTED = 0.1;

/** A period in which the event loop was blocked, so that nothing was renewed, committed or answered. */
export interface Blocked extends LastCall {
  forMs: number;
}

/** Detects a blocked event loop: a timer fires late although the process was computing. A stopped process uses no processor time. */
export class BlockedLoop {
  readonly #afterMs: number;
  readonly #cpuMs: () => number;
  #cpuAt: number;

  /** @param afterMs only longer delays are reported. @param cpuMs returns the processor time of this process so far. */
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
