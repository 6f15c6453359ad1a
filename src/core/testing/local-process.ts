import type { Clock } from '../lib/clock.js';
import type { Timeline } from './timeline.js';

/** The process of one member. After its end, no timer fires and no answer arrives. */
export class LocalProcess {
  readonly clock: Clock;
  #hasEnded = false;

  constructor(timeline: Timeline) {
    this.clock = {
      now: () => timeline.now,
      at: (atMs, callback) => {
        const scheduled = timeline.at(atMs, () => {
          if (!this.#hasEnded) callback();
        });
        return () => {
          scheduled.run = null;
        };
      },
    };
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Ends the process, as `kill -9` does. */
  end(): void {
    this.#hasEnded = true;
  }

  /** Returns the server's answer asynchronously. After the end of the process, the promise stays pending. */
  async ask<T>(answer: () => T): Promise<T> {
    if (!this.#hasEnded) {
      const value = answer();
      await Promise.resolve();
      if (!this.#hasEnded) return value;
    }
    return new Promise<never>(() => {});
  }

  /** Calls back asynchronously, unless the process has ended. */
  later(callback: () => void): void {
    queueMicrotask(() => {
      if (!this.#hasEnded) callback();
    });
  }
}
