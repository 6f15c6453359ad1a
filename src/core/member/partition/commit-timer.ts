import type { Cancel, Clock } from '../../lib/clock.js';

/** When positions are committed. */
export interface CommitPolicy {
  /** Interval while busy, in milliseconds. */
  readonly intervalMs: number;
  /** Also commit after this many messages. */
  readonly every: number;
}

/**
 * Decides when the next commit is due. While busy, once per interval. When idle, sooner, so that a restart repeats little, but not
 * after each message of a slow stream.
 */
export class CommitTimer {
  readonly #policy: CommitPolicy;
  readonly #clock: Clock;
  readonly #due: () => void;
  #lastAt = Number.NEGATIVE_INFINITY;
  #cancel: Cancel | undefined;

  constructor(policy: CommitPolicy, clock: Clock, due: () => void) {
    this.#policy = policy;
    this.#clock = clock;
    this.#due = due;
  }

  /** A commit starts now. */
  started(): void {
    this.#lastAt = this.#clock.now();
  }

  schedule(idle: boolean): void {
    if (this.#cancel && !idle) return;
    const { intervalMs } = this.#policy;
    const now = this.#clock.now();
    if (idle && now - this.#lastAt >= intervalMs / 4) this.#due();
    else
      this.#cancel ??= this.#clock.at(
        Math.max(now, this.#lastAt) + (idle ? intervalMs / 4 : intervalMs),
        () => {
          this.#cancel = undefined;
          this.#due();
        },
      );
  }

  cancel(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
