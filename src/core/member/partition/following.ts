import type { Cancel, Clock } from '../../lib/clock.js';
import type { Coverage } from '../../ports/index.js';

/**
 * Interval at which the position of a partition without waiting messages advances to the sequence that a shared reader has reached.
 * After a takeover, reading starts at this position.
 */
const FOLLOW_EVERY_MS = 5_000;

/**
 * Moves the position of a partition without waiting messages to the sequence that the reader has reached in messages of other partitions.
 * The stream holds no unhandled message of the partition up to the new position.
 */
export class Following {
  readonly #clock: Clock;
  readonly #coverage: () => Coverage | undefined;
  readonly #follow: (coverage: Coverage) => void;
  #cancel: Cancel | undefined;
  #isStopped = false;

  /** @param coverage returns undefined while messages of the partition wait, or if the reader does not report how far it has read. */
  constructor(clock: Clock, coverage: () => Coverage | undefined, follow: (coverage: Coverage) => void) {
    this.#clock = clock;
    this.#coverage = coverage;
    this.#follow = follow;
  }

  /** Moves the position regularly, until {@link stop} is called. */
  start(): void {
    if (this.#isStopped) return;
    this.#cancel = this.#clock.at(this.#clock.now() + FOLLOW_EVERY_MS, () => {
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
