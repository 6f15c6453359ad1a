import { EventEmitter } from 'node:events';
import { hostname } from 'node:os';
import { type Clock, systemClock } from './clock.js';
import type { Config } from './config.js';
import type { Handler } from './consume/handler.js';
import { type GuardedHandler, guardRejections } from './consume/rejections.js';
import type { Afterwards } from './consume/retry.js';
import type { Trimmed } from './consume/trimmed.js';
import { messageOf, NatspocError } from './errors.js';
import type { Report } from './group/events.js';
import type { HealthOptions, HealthServer } from './health/server.js';
import { type JoinOptions, startMember } from './join.js';
import type { PartitionStatus } from './member/contract.js';
import type { Member } from './member/member.js';
import { HandlerTimes } from './observe/handler-times.js';
import { MemoryMonitor, type MemorySample } from './observe/memory.js';
import { RateMeter } from './observe/rates.js';
import { type MemberStats, STATS_VERSION } from './observe/stats.js';
import type { StreamMessage } from './ports.js';

/** How often counts are looked at for the rates that STATS tells. */
const RATE_EVERY_MS = 1_000;

/** What happens in the group, by the type of its {@link Report}: `acquired`, `handed-over`, `fenced`, … */
type ReportEvents = { [T in Report['type']]: [report: Extract<Report, { type: T }>] };

/** One attempt that failed, and what follows it. */
export interface FailedAttempt {
  partition: number;
  message: StreamMessage;
  attempt: number;
  error: unknown;
  then: 'retry' | Exclude<Afterwards, 'halt'>;
}

/** The events of a {@link GroupMember}, and what listeners are given. */
export interface MemberEventMap extends ReportEvents {
  /** Any of the reports. */
  report: [report: Report];
  /** A message is handled, or passed over or stored as a dead letter by policy. */
  handled: [event: { partition: number; message: StreamMessage }];
  /** Everything up to `sequence` is committed; `tookMs` from sending the commit to its answer. */
  committed: [event: { partition: number; sequence: number; tookMs: number }];
  failed: [event: FailedAttempt];
  /** The stream dropped messages before they were handled: they are lost to this group. */
  trimmed: [event: { partition: number } & Trimmed];
  /** Handlers of these messages did not finish in time: their partition goes on without them. */
  overdue: [event: { partition: number; sequences: number[] }];
  /** Once every memory interval. */
  memory: [sample: MemorySample];
}

/** How a member is made, beside what {@link startMember} asks for. */
export interface GroupMemberOptions extends Omit<JoinOptions, 'events' | 'stats'> {
  /** Rejected promises that a handler has left behind are its failure, and not the end of the process. */
  guardRejections?: boolean | undefined;
  /** Serve health checks and metrics over HTTP. */
  health?: HealthOptions | undefined;
  /** Called last, after it has left for whatever reason. */
  onEnd?: (() => Promise<void>) | undefined;
}

/** Messages since the member started. */
export interface MemberCounters {
  /** Dealt with: handled, skipped or stored as dead letters. */
  handled: number;
  /** Attempts that failed. */
  failed: number;
  deadLettered: number;
  skipped: number;
}

/**
 * A member of a group at work, and what it tells. It lives until `leave()`, or until something ends it: then
 * `closed` says what.
 */
export class GroupMember extends EventEmitter<MemberEventMap> implements AsyncDisposable {
  readonly name: string;
  readonly counters: MemberCounters = { handled: 0, failed: 0, deadLettered: 0, skipped: 0 };
  readonly #config: Config;
  readonly #version: string;
  readonly #memory = new MemoryMonitor();
  readonly #rates = new RateMeter();
  readonly #handlerTimes = new HandlerTimes();
  readonly #startedAt = Date.now();
  #member: Member | undefined;
  #guard: GuardedHandler | undefined;
  #health: HealthServer | undefined;
  #stopped: NatspocError | undefined;
  #closed: Promise<void> = Promise.resolve();

  private constructor(options: GroupMemberOptions) {
    super();
    this.#config = options.config;
    this.#version = options.version;
    this.name = options.name ?? `${hostname()}-${process.pid}`;
  }

  /**
   * Joins a group. The connection stays the caller's to close.
   *
   * @param listen adds listeners before anything can happen.
   * @throws NatspocError where the group cannot be joined.
   */
  static async open(
    options: GroupMemberOptions,
    listen: (member: GroupMember) => void = () => {},
    clock: Clock = systemClock,
  ): Promise<GroupMember> {
    const opened = new GroupMember(options);
    listen(opened);
    try {
      await opened.#start(options, clock);
    } catch (error) {
      await opened.#cleanUp();
      throw error;
    }
    return opened;
  }

  /** Resolves when it has left; rejects with a NatspocError that says what ended it. */
  get closed(): Promise<void> {
    return this.#closed;
  }

  /** Session id in the group; null while there is none. */
  get id(): string | null {
    return this.#member?.id ?? null;
  }

  /** The partitions that it owns, and how far it is with them. */
  get partitions(): PartitionStatus[] {
    return this.#member?.partitions ?? [];
  }

  /** True while it is in the group and every partition of the group has an owner. */
  get isSettled(): boolean {
    return this.#member?.isSettled ?? false;
  }

  /** Where health checks and metrics are served; undefined: nowhere. */
  get healthUrl(): string | undefined {
    return this.#health?.url;
  }

  /** This process's memory now. */
  get memory(): MemorySample {
    return this.#memory.sample();
  }

  /**
   * Finishes what is in hand, commits, hands all partitions over and leaves; bounded by the drain timeout. May
   * be called again.
   *
   * @throws NatspocError what `closed` rejects with.
   */
  async leave(): Promise<void> {
    // What it ends with is told by `closed`.
    await this.#member?.leave().catch(() => {});
    await this.#closed;
  }

  /** Leaves; see {@link leave}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.leave();
  }

  /** Gives a partition away: to the member of this name or session id, or to whoever has least. */
  release(partition: number, to: string | null = null): void {
    this.#member?.release(partition, to);
  }

  async #start(options: GroupMemberOptions, clock: Clock): Promise<void> {
    const handler = await this.#wrap(options, clock);
    const { counters } = this;
    const member = await startMember({
      ...options,
      name: this.name,
      handler,
      stats: () => this.#stats(),
      events: {
        report: (report) => {
          this.#tell('report', report);
          // One name and one payload for each type: the compiler cannot follow that through a union.
          this.#tell(report.type, ...([report] as never));
        },
        handled: (partition, message) => {
          counters.handled++;
          if (this.listenerCount('handled') > 0) this.#tell('handled', { partition, message });
        },
        committed: (partition, sequence, tookMs) => {
          if (this.listenerCount('committed') > 0) this.#tell('committed', { partition, sequence, tookMs });
        },
        attemptFailed: (partition, message, attempt, error, then) => {
          counters.failed++;
          if (then === 'dead-letter') counters.deadLettered++;
          if (then === 'skip') counters.skipped++;
          this.#tell('failed', { partition, message, attempt, error, then });
        },
        overdue: (partition, sequences) => this.#tell('overdue', { partition, sequences }),
        trimmed: (partition, trimmed) => this.#tell('trimmed', { partition, ...trimmed }),
        stopped: (_partition, error) => this.#stop(error),
      },
    });
    this.#member = member;
    const cancelMemory = every(clock, this.#config.memoryIntervalMs, () => {
      if (this.listenerCount('memory') > 0) this.#tell('memory', this.memory);
    });
    const cancelRates = every(clock, RATE_EVERY_MS, () => {
      this.#rates.sample(performance.now(), this.partitions);
    });
    this.#closed = member.closed
      .finally(() => {
        cancelMemory();
        cancelRates();
        return this.#cleanUp();
      })
      .finally(options.onEnd)
      .then(() => {
        if (this.#stopped) throw this.#stopped;
      });
    // Whoever does not wait for it is not to be ended by it.
    this.#closed.catch(() => {});
  }

  /** Puts around the handler what was asked for. */
  async #wrap(options: GroupMemberOptions, clock: Clock): Promise<Handler> {
    let handler = this.#handlerTimes.timed(options.handler);
    if (options.guardRejections) {
      this.#guard = guardRejections(handler);
      handler = this.#guard.handler;
    }
    if (!options.health) return handler;
    const { group, stream } = this.#config;
    // Loaded for those who want it: most programs have no use for a metrics library.
    const [{ Metrics }, { HealthServer }] = await Promise.all([
      import('./health/metrics.js'),
      import('./health/server.js'),
    ]);
    const metrics = new Metrics({ stream, group, member: this.name });
    metrics.attach(this);
    this.#health = await HealthServer.open(this, metrics, options.health, clock);
    return metrics.timed(handler);
  }

  async #cleanUp(): Promise<void> {
    this.#memory.stop();
    this.#guard?.stop();
    await this.#health?.close();
  }

  /** The handler can handle nothing: the others get the partitions, and the caller the reason. */
  #stop(cause: Error): void {
    this.#stopped ??= new NatspocError('handler-failed', `The handler has stopped: ${messageOf(cause)}.`, {
      cause,
    });
    this.#member?.leave().catch(() => {});
  }

  /** A listener that throws is a bug in the program around us: it is reported, and does not reach the protocol. */
  #tell<E extends keyof MemberEventMap>(event: E, ...args: MemberEventMap[E]): void {
    try {
      (this.emit as (name: E, ...values: MemberEventMap[E]) => boolean).call(this, event, ...args);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  }

  #stats(): MemberStats {
    const { group, stream } = this.#config;
    const now = performance.now();
    const handlerTimes = this.#handlerTimes.stats();
    const partitions = this.partitions.map(({ partition, epoch, position, handled, lag, state }) => ({
      partition,
      epoch,
      position,
      handled,
      lag,
      ratePerSecond: Math.round(this.#rates.perSecond(now, { partition, epoch, handled }) * 10) / 10,
      state,
    }));
    return {
      v: STATS_VERSION,
      session: this.id ?? '',
      name: this.name,
      group,
      stream,
      host: hostname(),
      pid: process.pid,
      version: this.#version,
      startedAt: new Date(this.#startedAt).toISOString(),
      uptimeMs: Date.now() - this.#startedAt,
      partitions,
      handled: this.counters.handled,
      failed: this.counters.failed,
      memory: this.#memory.stats(),
      ...(handlerTimes && { handlerTimes }),
    };
  }
}

function every(clock: Clock, intervalMs: number, callback: () => void): () => void {
  let cancel = clock.at(clock.now() + intervalMs, function again() {
    cancel = clock.at(clock.now() + intervalMs, again);
    callback();
  });
  return () => cancel();
}
