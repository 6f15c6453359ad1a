import { backoffMs } from '../../config/retry.js';
import type { Cancel, Clock } from '../../lib/clock.js';
import type { ReaderFault } from '../../ports/index.js';
import type { PartitionEvents } from './partition-events.js';

/** Waits before another reader is tried, once one has brought nothing. */
const BACKOFF = { baseMs: 100, maxMs: 10_000 };
/** A reader that has lasted for this long was a good one, though nothing came. */
const LASTING_MS = 10_000;
/** While it lasts, it is told this often. */
const REPORT_EVERY_MS = 60_000;

/** What paces the readers of one partition. */
export interface ReopeningPorts {
  clock: Clock;
  random: () => number;
  events: Pick<PartitionEvents, 'unread'>;
}

/**
 * When the next reader of a partition is opened: at once after one that has worked, and ever later while none does. A
 * server that refuses each of them is not asked without a pause, and people hear why nothing comes.
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

  /** True while readers fail one after the other. */
  get isFailing(): boolean {
    return this.#failures > 1;
  }

  /** A reader is open. */
  opened(): void {
    this.#openedAt = this.#ports.clock.now();
  }

  /** It has brought something. */
  worked(): void {
    this.#failures = 0;
  }

  /**
   * Resolves when another reader may be tried.
   *
   * @param why `refused`: this one was not even opened.
   */
  async wait(why: ReaderFault | 'refused', reason: string): Promise<void> {
    const { clock, random, events } = this.#ports;
    const now = clock.now();
    if (now - this.#openedAt > LASTING_MS) this.#failures = 0;
    this.#openedAt = Number.POSITIVE_INFINITY;
    if (why === 'refused' && this.#failures === 0) this.#failures = 1;
    const delayMs = this.#failures++ === 0 ? 0 : backoffMs(BACKOFF, this.#failures - 1, random());
    // What anybody has done to a reader is told at once, also where the next one works.
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

  /** Ends a wait at once. */
  stop(): void {
    this.#cancel?.();
    this.#wake?.();
  }
}
