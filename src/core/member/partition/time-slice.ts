import type { Clock } from '../../lib/clock.js';

/** Synchronous handlers may occupy the event loop for this long; renewals tolerate more. */
const TURN_MS = 100;

/**
 * Shares the event loop between computing handlers and everything else: renewals, commits, signals. A backlog of
 * synchronous calls is cut into slices, and the loop runs in between. A partition that has used up a slice waits behind
 * the others.
 */
export class TimeSlice {
  readonly #clock: Clock;
  readonly #last = { partition: -1, sequence: 0 };
  #until = Number.NEGATIVE_INFINITY;
  #running = false;
  /** In the order of their next slices. */
  #waiting = new Set<() => void>();

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

  /** Whether another handler may be called in this slice. */
  has(now: number): boolean {
    if (this.#running) return now < this.#until;
    this.#running = true;
    this.#until = now + TURN_MS;
    this.#clock.at(now, () => this.#next());
    return true;
  }

  /** Calls back in a later slice; the same callback waits only once. */
  whenNext(resume: () => void): void {
    this.#waiting.add(resume);
  }

  #next(): void {
    this.#running = false;
    const queue = [...this.#waiting];
    this.#waiting = new Set();
    for (const [i, resume] of queue.entries()) {
      resume();
      if (!this.#isUsedUp()) continue;
      // The others have not had their slice yet: they come before the partition that used this one.
      this.#waiting = new Set([...queue.slice(i + 1), ...this.#waiting]);
      return;
    }
  }

  #isUsedUp(): boolean {
    return this.#running && this.#clock.now() >= this.#until;
  }
}
