import { usageOf } from '../../../bench/support/process-usage.js';
import { LineFile } from '../recording/line-file.js';
import { monotonicUs } from '../recording/records.js';

/**
 * A sample of a process's memory, in bytes: `resident` as the system counts it, `live` on the JavaScript heap after a full
 * collection. Time in monotonic microseconds.
 */
export type MemoryRecord = [at: number, name: string, kind: 'resident' | 'live', bytes: number];

/** An observed process. With {@link TRACE} the output of the process reports its garbage collections. */
export interface Watched {
  name: string;
  pid: number;
  /** The lines of the process's standard output so far; lines are only added. */
  output: readonly string[];
}

/** Makes Node.js print each collection. `NODE_OPTIONS` does not accept this flag. */
export const TRACE = ['--trace-gc'];

const EVERY_MS = 5_000;
const MEBI = 1024 * 1024;

/** Live MiB after a full collection, if this line reports a full collection. */
export function liveAfter(line: string): number | undefined {
  const left = /: Mark-(?:Compact|sweep)[^>]*-> (\d+(?:\.\d+)?) /.exec(line)?.[1];
  return left === undefined ? undefined : Number(left);
}

/** Records the memory of processes periodically until it is stopped. Linux only. */
export class MemorySampler {
  readonly #file: LineFile<MemoryRecord>;
  readonly #watched: () => readonly Watched[];
  readonly #timer: NodeJS.Timeout;
  /** The number of processed output lines of each process. */
  readonly #read = new Map<string, number>();

  /** @param watched is called for each sample, and returns the processes to measure. */
  constructor(path: string, watched: () => readonly Watched[]) {
    this.#file = new LineFile(path);
    this.#watched = watched;
    this.#timer = setInterval(() => this.#sample(), EVERY_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#file.close();
  }

  #sample(): void {
    for (const { name, pid, output } of this.#watched()) {
      const at = monotonicUs();
      for (const line of output.slice(this.#read.get(name) ?? 0)) {
        const mebi = liveAfter(line);
        if (mebi !== undefined) this.#file.write([at, name, 'live', Math.round(mebi * MEBI)]);
      }
      this.#read.set(name, output.length);
      try {
        this.#file.write([at, name, 'resident', usageOf(pid).residentBytes]);
      } catch {
        // The process has ended, which is recorded elsewhere.
      }
    }
  }
}
