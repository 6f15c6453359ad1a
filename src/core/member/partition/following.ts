import type { Cancel, Clock } from '../../lib/clock.js';
import type { Coverage } from '../../ports/index.js';

/**
 * How often the position of a partition without messages follows a shared reader. A takeover reads the stream again
 * from there.
 */
const FOLLOW_EVERY_MS = 5_000;

/**
 * Moves the position of a partition without messages as far as its reader has read for other partitions: up to
 * there, the stream holds no message of this partition.
 */
export class Following {
  readonly #clock: Clock;
  readonly #coverage: () => Coverage | undefined;
  readonly #follow: (coverage: Coverage) => void;
  #cancel: Cancel | undefined;
  #isStopped = false;

  /** @param coverage undefined while messages of the partition wait, or if its reader does not report it. */
  constructor(clock: Clock, coverage: () => Coverage | undefined, follow: (coverage: Coverage) => void) {
    this.#clock = clock;
    this.#coverage = coverage;
    this.#follow = follow;
  }

  /** Follows regularly, until {@link stop}. */
  start(): void {
    if (this.#isStopped) return;
    this.#cancel = this.#clock.at(this.#clock.now() + FOLLOW_EVERY_MS, () => {
      this.now();
      this.start();
    });
  }

  /** Follows now. */
  now(): void {
    const coverage = this.#coverage();
    if (coverage) this.#follow(coverage);
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancel?.();
  }
}
