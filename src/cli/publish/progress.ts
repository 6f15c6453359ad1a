import { formatProgress, type Progress } from './report.js';

/** The stream to which progress is written, such as standard error. */
export interface ProgressStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

const TTY_INTERVAL_MS = 100;
const LINE_INTERVAL_MS = 5_000;
/** The shown rate is the average over this time. */
const RATE_OVER_MS = 1_000;
const DEFAULT_COLUMNS = 80;
const ERASE_LINE = '\r\x1b[K';

/** Shows a run's progress: on a terminal in one line that is redrawn, elsewhere in a new line every 5 seconds. */
export class ProgressDisplay {
  readonly #stream: ProgressStream;
  readonly #read: () => Omit<Progress, 'rate'>;
  readonly #timer: NodeJS.Timeout;
  #samples: { atMs: number; confirmed: number }[] = [];

  /** Starts immediately, and shows the progress that `read` returns until {@link stop}. */
  constructor(stream: ProgressStream, read: () => Omit<Progress, 'rate'>) {
    this.#stream = stream;
    this.#read = read;
    this.#samples.push({ atMs: performance.now(), confirmed: read().confirmed });
    this.#timer = setInterval(() => this.#show(), stream.isTTY ? TTY_INTERVAL_MS : LINE_INTERVAL_MS);
    this.#timer.unref();
  }

  /** Ends the display and clears its line. */
  stop(): void {
    clearInterval(this.#timer);
    if (this.#stream.isTTY) this.#stream.write(ERASE_LINE);
  }

  #show(): void {
    const now = this.#read();
    const atMs = performance.now();
    const first = this.#samples.find((sample) => sample.atMs > atMs - RATE_OVER_MS) ?? this.#samples.at(-1);
    const elapsedMs = first ? atMs - first.atMs : 0;
    const rate = first && elapsedMs > 0 ? ((now.confirmed - first.confirmed) / elapsedMs) * 1_000 : 0;
    this.#samples = this.#samples.filter((sample) => sample.atMs > atMs - RATE_OVER_MS);
    this.#samples.push({ atMs, confirmed: now.confirmed });
    if (this.#stream.isTTY) {
      // One column stays free: a full line would wrap on some terminals.
      const line = formatProgress({ ...now, rate }, (this.#stream.columns ?? DEFAULT_COLUMNS) - 1);
      this.#stream.write(`${ERASE_LINE}${line}`);
    } else {
      this.#stream.write(`${formatProgress({ ...now, rate })}\n`);
    }
  }
}
