import { hostname } from 'node:os';
import { type Cancel, type Clock, every } from '../../lib/clock.js';
import type { Report } from '../../protocol/events.js';
import type { HoldUp } from '../../protocol/hold-up.js';
import { type MemberStats, type PartitionStats, STATS_VERSION } from '../../protocol/member-stats.js';
import type { Standing } from '../engine/standstill.js';
import type { MemberCounters } from '../member-events.js';
import { HandlerTimes } from './handler-times.js';
import { MemoryMonitor, type MemorySample } from './memory.js';
import { RateMeter } from './rates.js';
import { Takeovers } from './takeovers.js';

/** Interval at which counters are sampled for the rates, in milliseconds. */
const RATE_EVERY_MS = 1_000;

/** Maximum number of hold-ups in one answer, because the answer must fit into a message. */
const TOLD_HOLD_UPS = 256;

/** The facts that a member knows about itself, in addition to the measurements of {@link OwnStats}. */
export interface OwnFacts extends Pick<MemberStats, 'name' | 'group' | 'stream' | 'version'> {
  /** Session id; null without a session. */
  id: string | null;
  counters: MemberCounters;
  /** Number of messages whose handlers are running now. */
  inFlight: number;
  partitions: readonly OwnPartition[];
  standing?: readonly Standing[];
}

type OwnPartition = Required<Omit<PartitionStats, 'ratePerSecond' | 'tookMs' | 'holdUp'>> & {
  holdUp?: HoldUp | undefined;
  /** If no message of this partition waits: the sequence that a shared reader has reached. Otherwise 0. */
  covered: number;
};

/** A member's own measurements for its STATS: memory, rates, handler times, takeovers. */
export class OwnStats {
  readonly #memory = new MemoryMonitor();
  readonly #rates = new RateMeter();
  readonly #takeovers = new Takeovers();
  readonly #handlerTimes = new HandlerTimes();
  readonly #startedAt = new Date().toISOString();
  readonly #startedMs = performance.now();
  #cancelRates: Cancel | undefined;

  /** The current memory use of this process. */
  get memory(): MemorySample {
    return this.#memory.sample();
  }

  /** Wraps a handler so that a sample of its calls is timed. */
  timed<Call extends unknown[]>(handler: (...call: Call) => unknown): (...call: Call) => unknown {
    return this.#handlerTimes.timed(handler);
  }

  /** Records the duration of a takeover from a report. */
  note(report: Report): void {
    this.#takeovers.note(report);
  }

  /** Samples the number of messages that each partition has handled, until {@link stop} is called. */
  start(clock: Clock, partitions: () => readonly OwnPartition[]): void {
    this.#cancelRates = every(clock, RATE_EVERY_MS, () => {
      this.#rates.sample(performance.now(), partitions());
    });
  }

  /** All data of a STATS answer. */
  stats({ id, counters, inFlight, partitions, standing = [], ...who }: OwnFacts): MemberStats {
    const now = performance.now();
    const handlerTimes = this.#handlerTimes.stats();
    let told = 0;
    return {
      v: STATS_VERSION,
      ...who,
      session: id ?? '',
      host: hostname(),
      pid: process.pid,
      startedAt: this.#startedAt,
      // The uptime is measured with the monotonic clock, because the wall clock may be set back.
      uptimeMs: Math.round(now - this.#startedMs),
      partitions: partitions.map(
        ({ partition, epoch, position, covered, handled, lag, trimmed, state, holdUp }) => ({
          partition,
          epoch,
          // While the partition gets no messages, its position is moved only every few seconds. Without `covered`, messages of other
          // partitions would look like lag.
          position: Math.max(position, covered),
          handled,
          lag,
          trimmed,
          ratePerSecond: Math.round(this.#rates.perSecond(now, { partition, epoch, handled }) * 10) / 10,
          state,
          ...(holdUp && told++ < TOLD_HOLD_UPS && { holdUp }),
          tookMs: this.#takeovers.tookMs(partition, epoch),
        }),
      ),
      handled: counters.handled,
      failed: counters.failed,
      retried: counters.retried,
      inFlight,
      withoutKey: counters.withoutKey,
      standing: standing
        .filter(({ why }) => why === 'stuck')
        .map(({ partition, reason, forMs }) => ({ partition, reason, forMs: Math.round(forMs) })),
      memory: this.#memory.stats(),
      ...(handlerTimes && { handlerTimes }),
    };
  }

  /** Stops measuring. */
  stop(): void {
    this.#cancelRates?.();
    this.#memory.stop();
  }
}
