import type { Cancel, Clock } from '../../lib/clock.js';
import type { Coverage } from '../../ports/index.js';

/**
 * While no message of its partition waits, a position follows the shared reader at this interval, in milliseconds. The next owner starts
 * reading at this position.
 */
const FOLLOW_EVERY_MS = 5_000;

/**
 * Moves a position while no message of its partition waits. The new position is the sequence that the reader has reached in other
 * partitions. Up to this sequence, the stream holds no unhandled message of the partition.
 */
export class Following {
  readonly #clock: Clock;
  readonly #coverage: () => Coverage | undefined;
  readonly #follow: (coverage: Coverage) => void;
  readonly #extend: () => Promise<void>;
  #cancel: Cancel | undefined;
  #isStopped = false;

  /**
   * @param coverage returns undefined while messages of the partition wait, or if it is not known how far the stream was read.
   * @param extend tries to extend the coverage. Called before each regular move.
   */
  constructor(
    clock: Clock,
    coverage: () => Coverage | undefined,
    follow: (coverage: Coverage) => void,
    extend: () => Promise<void>,
  ) {
    this.#clock = clock;
    this.#coverage = coverage;
    this.#follow = follow;
    this.#extend = extend;
  }

  /** Moves the position regularly, until {@link stop} is called. */
  start(): void {
    if (this.#isStopped) return;
    this.#cancel = this.#clock.at(this.#clock.now() + FOLLOW_EVERY_MS, async () => {
      await this.#extend();
      if (this.#isStopped) return;
      this.now();
      this.start();
    });
  }

  /** Moves the position now. */
  now(): void {
    const coverage = this.#coverage();
    if (coverage) this.#follow(coverage);
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancel?.();
  }
}
