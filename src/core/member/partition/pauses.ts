import type { Cancel, Clock } from '../../lib/clock.js';
import { NatspocError } from '../../lib/errors.js';
import { inWords } from '../../lib/in-words.js';
import { isCount } from '../../lib/json.js';
import { MAX_PARTITIONS } from '../../protocol/record-format.js';

/** @throws NatspocError `usage` for a value that is not the number of a partition. */
export function checkPartition(partition: unknown, action: string): void {
  if (isCount(partition) && partition < MAX_PARTITIONS) return;
  throw new NatspocError(
    'usage',
    `There is no partition ${inWords(partition)} to ${action}: partitions are numbered from 0.`,
  );
}

/** @throws NatspocError `usage` for a partition or a time (in milliseconds) that cannot be paused. */
export function checkPause(partition: number | null, forMs: number | undefined): void {
  if (partition !== null) checkPartition(partition, 'pause');
  if (forMs !== undefined && !(Number.isFinite(forMs) && forMs > 0))
    throw new NatspocError(
      'usage',
      `A pause cannot last ${inWords(forMs)}: forMs is a number of milliseconds above 0.`,
    );
}

/**
 * Partitions that the program has paused at this member. A paused partition keeps its owner, but its handlers do not start.
 */
export class Pauses {
  readonly #clock: Clock;
  /** Paused partitions (null: all), each with the function that cancels the timer of its pause. */
  readonly #paused = new Map<number | null, Cancel | undefined>();
  readonly #waiting = new Map<() => void, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  isPaused(partition: number): boolean {
    return this.#paused.size > 0 && (this.#paused.has(null) || this.#paused.has(partition));
  }

  /** True if the partition is paused until {@link resume} is called. */
  lasts(partition: number): boolean {
    return [null, partition].some((each) => this.#paused.has(each) && !this.#paused.get(each));
  }

  /**
   * @param forMs the pause ends after this time; if undefined, the pause lasts until {@link resume} is called.
   * @throws NatspocError see {@link checkPause}.
   */
  pause(partition: number | null, forMs: number | undefined): void {
    checkPause(partition, forMs);
    this.#paused.get(partition)?.();
    const clock = this.#clock;
    const end = forMs === undefined ? undefined : clock.at(clock.now() + forMs, () => this.resume(partition));
    this.#paused.set(partition, end);
  }

  /** Ends the pause of one partition, or all pauses (null). */
  resume(partition: number | null): void {
    for (const [paused, cancel] of this.#paused) {
      if (partition !== null && paused !== partition) continue;
      cancel?.();
      this.#paused.delete(paused);
    }
    for (const [resume, waiting] of this.#waiting) {
      if (this.isPaused(waiting)) continue;
      this.#waiting.delete(resume);
      resume();
    }
  }

  /** Calls back once, when this partition is not paused any more. */
  whenResumed(partition: number, resume: () => void): void {
    this.#waiting.set(resume, partition);
  }
}
