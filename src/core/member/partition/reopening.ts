import { backoffMs } from '../../config/retry.js';
import type { Cancel, Clock } from '../../lib/clock.js';
import type { ReaderFault } from '../../ports/index.js';
import type { PartitionEvents } from './partition-events.js';

/** Delays before another reader is tried, if the last reader delivered nothing. */
const BACKOFF = { baseMs: 100, maxMs: 10_000 };
/** A reader that lasted this long counts as good, even if it delivered nothing. */
const LASTING_MS = 10_000;
const REPORT_EVERY_MS = 60_000;

/** The dependencies of {@link Reopening}. */
export interface ReopeningPorts {
  clock: Clock;
  random: () => number;
  events: Pick<PartitionEvents, 'unread'>;
}

/**
 * Decides when a partition's next reader is opened. After a reader that delivered, this happens immediately. While no reader delivers, the
 * delays grow. The delays limit the requests to a server that refuses readers. The reason for a delay is reported.
 */
export class Reopening {
  readonly #ports: ReopeningPorts;
  #failures = 0;
  #openedAt = Number.POSITIVE_INFINITY;
  #reportAt = Number.NEGATIVE_INFINITY;
  #wake: (() => void) | undefined;
  #cancel: Cancel | undefined;

  constructor(ports: ReopeningPorts) {
    this.#ports = ports;
  }

  /** True while one reader after another fails. */
  get isFailing(): boolean {
    return this.#failures > 1;
  }

  opened(): void {
    this.#openedAt = this.#ports.clock.now();
  }

  /** The reader has delivered a message. */
  worked(): void {
    this.#failures = 0;
  }

  /**
   * Resolves when another reader may be tried.
   *
   * @param why `refused`: the last reader could not be opened.
   */
  async wait(why: ReaderFault | 'refused', reason: string): Promise<void> {
    const { clock, random, events } = this.#ports;
    const now = clock.now();
    if (now - this.#openedAt > LASTING_MS) this.#failures = 0;
    this.#openedAt = Number.POSITIVE_INFINITY;
    if ((why === 'refused' || why === 'unplaced') && this.#failures === 0) this.#failures = 1;
    const delayMs = this.#failures++ === 0 ? 0 : backoffMs(BACKOFF, this.#failures - 1, random());
    // A change by another client is reported even if the next reader is opened without a delay.
    if (now >= this.#reportAt && (delayMs > 0 || why === 'foreign')) {
      this.#reportAt = now + REPORT_EVERY_MS;
      events.unread?.(reason, delayMs);
    }
    if (delayMs === 0) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      this.#cancel = clock.at(now + delayMs, resolve);
    });
  }

  /** Ends the wait. */
  stop(): void {
    this.#cancel?.();
    this.#wake?.();
  }
}
