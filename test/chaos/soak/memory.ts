import { usageOf } from '../../../bench/support/process-usage.js';
import { LineFile } from '../recording/line-file.js';
import { monotonicUs } from '../recording/records.js';

/** What a process had in memory at a moment: monotonic microseconds, resident bytes. */
export type MemoryRecord = [at: number, name: string, residentBytes: number];

const EVERY_MS = 5_000;

/** Writes down what processes have in memory, again and again, until it is stopped. Linux only. */
export class MemorySampler {
  readonly #file: LineFile<MemoryRecord>;
  readonly #pids: () => readonly (readonly [name: string, pid: number])[];
  readonly #timer: NodeJS.Timeout;

  /** `pids`: who is to be looked at; asked each time. */
  constructor(path: string, pids: () => readonly (readonly [name: string, pid: number])[]) {
    this.#file = new LineFile(path);
    this.#pids = pids;
    this.#timer = setInterval(() => this.#sample(), EVERY_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#file.close();
  }

  #sample(): void {
    for (const [name, pid] of this.#pids()) {
      try {
        this.#file.write([monotonicUs(), name, usageOf(pid).residentBytes]);
      } catch {
        // It has ended since: how, the judge hears from elsewhere.
      }
    }
  }
}
