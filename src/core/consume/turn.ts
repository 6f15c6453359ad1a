import type { Clock } from '../clock.js';

/** Handlers that do not wait may keep the event loop to themselves for this long; renewals can wait longer. */
const TURN_MS = 100;

/**
 * Shares the event loop between handlers that compute and everything else: renewals, commits, signals. A
 * backlog of synchronous handler calls is cut into turns, and in between the loop runs.
 */
export class Turn {
  readonly #clock: Clock;
  #until = Number.NEGATIVE_INFINITY;
  #running = false;
  #waiting: (() => void)[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether another handler may be called in this turn. */
  has(now: number): boolean {
    if (this.#running) return now < this.#until;
    this.#running = true;
    this.#until = now + TURN_MS;
    this.#clock.at(now, () => this.#next());
    return true;
  }

  /** Calls back in the next turn. */
  whenNext(resume: () => void): void {
    this.#waiting.push(resume);
  }

  #next(): void {
    this.#running = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resume of waiting) resume();
  }
}
