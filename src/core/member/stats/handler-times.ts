import { promiseOf } from '../../lib/promise-of.js';
import type { HandlerTimeStats } from '../../protocol/member-stats.js';

/** One call in 16 is timed. Reading the clock twice for each call would slow down fast handlers. */
const ONE_IN = 16;
/** Maximum number of measured times that are kept; the oldest times are removed first. */
const KEPT = 512;

/** Measures how long a handler's calls take, for a sample of the calls. */
export class HandlerTimes {
  readonly #times: number[] = [];
  #calls = 0;

  /** Wraps a handler so that a sample of its calls is timed. */
  timed<Call extends unknown[]>(handler: (...call: Call) => unknown): (...call: Call) => unknown {
    return (...call) => {
      if (this.#calls++ % ONE_IN !== 0) return handler(...call);
      const startedAt = performance.now();
      const done = (): void => {
        this.#add(performance.now() - startedAt);
      };
      const running = promiseOf(handler(...call));
      if (running) running.then(done, done);
      else done();
      return running;
    };
  }

  /** The measurements so far; undefined if there are none. */
  stats(): HandlerTimeStats | undefined {
    if (this.#times.length === 0) return undefined;
    const sorted = [...this.#times].sort((a, b) => a - b);
    const round = (ms: number): number => Math.round(ms * 1_000) / 1_000;
    const at = (share: number): number => round(sorted[Math.ceil(sorted.length * share) - 1] ?? 0);
    return {
      samples: sorted.length,
      meanMs: round(sorted.reduce((sum, ms) => sum + ms, 0) / sorted.length),
      p50Ms: at(0.5),
      p99Ms: at(0.99),
      maxMs: round(sorted.at(-1) ?? 0),
    };
  }

  #add(ms: number): void {
    this.#times.push(ms);
    if (this.#times.length > KEPT) this.#times.shift();
  }
}
