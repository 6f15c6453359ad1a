import type { Cancel, Clock } from '../clock.js';
import type { EventStream } from '../ports.js';

/** While messages wait, whether the stream has dropped any is looked at this often. */
const CHECK_EVERY_MS = 30_000;

/**
 * Messages that the stream dropped (by its limits, or a purge) before this group handled them: those of one
 * partition among the sequences `from` to `to`, both included.
 */
export interface Trimmed {
  from: number;
  to: number;
  /** No more than this many; exact where the stream has a single partition. */
  atMost: number;
}

/**
 * What was dropped behind `position`, the last sequence that was handled or received.
 *
 * @param waiting how many messages waited for this reader when the server last said so
 * @returns undefined where nothing is missing, or the stream did not answer.
 */
async function trimmedAfter(
  position: number,
  waiting: number,
  stream: Pick<EventStream, 'bounds'>,
): Promise<Trimmed | undefined> {
  const bounds = await stream.bounds();
  if (bounds.kind !== 'ok' || bounds.first <= position + 1) return undefined;
  const [from, to] = [position + 1, bounds.first - 1];
  return { from, to, atMost: Math.min(to - position, waiting) };
}

/** What a {@link TrimWatch} looks at. */
export interface TrimPorts {
  clock: Clock;
  stream: Pick<EventStream, 'bounds'>;
  /** The last sequence that was received, and how many messages wait behind it. */
  reading: () => { received: number; waiting: number };
  trimmed: (trimmed: Trimmed) => void;
}

/**
 * Notices what the stream drops before it is handled: the server passes over it without a word, only the first
 * sequence of the stream tells.
 */
export class TrimWatch {
  readonly #ports: TrimPorts;
  /** The last sequence that was reported as dropped. */
  #reportedTo = 0;
  #cancel: Cancel | undefined;
  #stopped = false;

  constructor(ports: TrimPorts) {
    this.#ports = ports;
  }

  /** Looks behind a position that was found, and now and then from then on. */
  async start(position: number): Promise<void> {
    await this.#look(position, Number.POSITIVE_INFINITY);
    this.#schedule();
  }

  /** Nothing came behind what was received, though so many messages waited: looks whether the stream has dropped them. */
  async missed(received: number, waiting: number): Promise<void> {
    if (!this.#stopped) await this.#look(received, waiting);
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
  }

  async #look(position: number, waiting: number): Promise<void> {
    const { stream, trimmed } = this.#ports;
    const found = await trimmedAfter(Math.max(position, this.#reportedTo), waiting, stream);
    if (!found || this.#stopped || found.to <= this.#reportedTo) return;
    this.#reportedTo = found.to;
    trimmed(found);
  }

  #schedule(): void {
    if (this.#stopped) return;
    const { clock, reading } = this.#ports;
    this.#cancel = clock.at(clock.now() + CHECK_EVERY_MS, async () => {
      const { received, waiting } = reading();
      if (waiting > 0) await this.#look(received, waiting);
      this.#schedule();
    });
  }
}
