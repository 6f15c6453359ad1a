import type { Clock } from '../../lib/clock.js';

/** Synchronous handlers are allowed to occupy the event loop for this time, in milliseconds. Renewals tolerate longer delays. */
const TURN_MS = 100;

/**
 * Shares the event loop between synchronous handlers and all other work: renewals, commits, signals. A backlog of synchronous calls is cut
 * into slices, and the other work is done in between. A partition that has used up a slice waits for the other partitions.
 */
export class TimeSlice {
  readonly #clock: Clock;
  readonly #last = { partition: -1, sequence: 0 };
  #until = Number.NEGATIVE_INFINITY;
  #running = false;
  /** Waiting partitions, in the order of their next slices. */
  #waiting = new Set<() => void>();
  /** The partitions that have run in this slice, and the partitions among them that wait for a later slice. */
  readonly #users = new Set<() => void>();
  readonly #behind = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A handler is about to be called. */
  calls(partition: number, sequence: number): void {
    this.#last.partition = partition;
    this.#last.sequence = sequence;
  }

  /** The last call of a handler; undefined if there was none. */
  get lastCall(): { partition: number; sequence: number } | undefined {
    return this.#last.partition < 0 ? undefined : { ...this.#last };
  }

  /** True if another handler may be called in this slice. `resume` identifies the caller, as in {@link whenNext}. */
  has(now: number, resume: () => void): boolean {
    if (!this.#running) {
      this.#running = true;
      this.#until = now + TURN_MS;
      this.#clock.at(now, () => this.#next());
    } else if (now >= this.#until) return false;
    this.#users.add(resume);
    return true;
  }

  /**
   * Calls back in a later slice; a callback that already waits is not added again. Partitions that have not run in this slice come before
   * partitions that have. This order matters if all partitions were resumed together, for example by the permit.
   */
  whenNext(resume: () => void): void {
    (this.#users.has(resume) ? this.#behind : this.#waiting).add(resume);
  }

  #next(): void {
    this.#running = false;
    const queue = [...this.#waiting, ...this.#behind];
    this.#waiting = new Set();
    this.#behind.clear();
    this.#users.clear();
    for (const [i, resume] of queue.entries()) {
      resume();
      if (!this.#isUsedUp()) continue;
      // Partitions that waited before this slice come before partitions that asked during the slice.
      this.#waiting = new Set([...queue.slice(i + 1), ...this.#waiting]);
      return;
    }
  }

  #isUsedUp(): boolean {
    return this.#running && this.#clock.now() >= this.#until;
  }
}
