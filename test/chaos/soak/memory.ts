import { usageOf } from '../../../bench/support/process-usage.js';
import { LineFile } from '../recording/line-file.js';
import { monotonicUs } from '../recording/records.js';

/**
 * A sample of a process's memory, in bytes. `resident` is the memory as the system counts it. `live` is the JavaScript heap after a full
 * collection. `at` is in monotonic microseconds.
 */
export type MemoryRecord = [at: number, name: string, kind: 'resident' | 'live', bytes: number];

/** A process whose memory is recorded. With {@link TRACE} its output reports its garbage collections. */
export interface Watched {
  name: string;
  pid: number;
  output: readonly string[];
}

/** Makes Node.js print each collection. `NODE_OPTIONS` does not accept this flag. */
export const TRACE = ['--trace-gc'];

const EVERY_MS = 5_000;
const MEBI = 1024 * 1024;

/** If the line reports a full collection, returns the MiB that are live after it. */
export function liveAfter(line: string): number | undefined {
  const left = /: Mark-(?:Compact|sweep)[^>]*-> (\d+(?:\.\d+)?) /.exec(line)?.[1];
  return left === undefined ? undefined : Number(left);
}

/** Records the memory of processes until it is stopped. Linux only. */
export class MemorySampler {
  readonly #file: LineFile<MemoryRecord>;
  readonly #watched: () => readonly Watched[];
  readonly #timer: NodeJS.Timeout;
  /** How many output lines of each process were read. */
  readonly #read = new Map<string, number>();

  /** @param watched returns the processes to measure. It is called for each sample. */
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
        // The process has ended.
      }
    }
  }
}
