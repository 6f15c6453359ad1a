import type { Cancel, Clock } from '../../lib/clock.js';

/** When positions are committed. */
export interface CommitPolicy {
  /** Interval between commits while the partition is busy, in milliseconds. */
  readonly intervalMs: number;
  /** A commit is also due after this number of messages. */
  readonly every: number;
}

/**
 * Decides when the next commit is due. A busy partition commits once per interval, an idle partition after a quarter of it. The earlier
 * commit of an idle partition reduces the messages that a restart repeats.
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

  /** Records that a commit starts now. */
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
