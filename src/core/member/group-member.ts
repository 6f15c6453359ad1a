import { EventEmitter } from 'node:events';
import { hostname } from 'node:os';
import type { Config } from '../config/config.js';
import type { HealthOptions, HealthServer } from '../health/server.js';
import { type Clock, systemClock } from '../lib/clock.js';
import { messageOf, NatspocError } from '../lib/errors.js';
import type { MemberStats } from '../protocol/member-stats.js';
import type { PartitionStatus } from './engine/contract.js';
import type { MemberEngine } from './engine/engine.js';
import type { Standing } from './engine/standstill.js';
import { type JoinOptions, startMember } from './join.js';
import type { MemberCounters, MemberEventMap } from './member-events.js';
import type { Handler } from './partition/handler.js';
import { type GuardedHandler, guardStrays, REJECTIONS_ARE_ANONYMOUS } from './partition/strays.js';
import type { MemorySample } from './stats/memory.js';
import { OwnStats } from './stats/own-stats.js';

/** How often counts are looked at for the rates that STATS tells. */
const RATE_EVERY_MS = 1_000;

/** How a member is made, beside what {@link startMember} asks for. */
export interface GroupMemberOptions extends Omit<JoinOptions, 'events' | 'stats'> {
  /**
   * `rejections`: rejected promises that a handler has left behind are its failure, and not the end of the process.
   * `process`: the process is there for this handler alone. Uncaught exceptions are its failure as well, and what
   * belongs to no message in hand makes the member leave with that error.
   */
  guard?: 'rejections' | 'process' | undefined;
  /** Serve health checks and metrics over HTTP. */
  health?: HealthOptions | undefined;
  /** Leaves when it aborts. */
  signal?: AbortSignal | undefined;
  /** Called last, after it has left for whatever reason. */
  onEnd?: (() => Promise<void>) | undefined;
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
  readonly #stats = new OwnStats();
  #member: MemberEngine | undefined;
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

  /**
   * Resolves when it has left; rejects with a NatspocError that says what ended it. Where nobody waits for it then, that
   * is an unhandled rejection and ends the process: a worker that has ended is not to look like one that is done.
   */
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

  /** What makes no progress here, and why: a partition, or with `partition` null the member as a whole. */
  get standing(): readonly Standing[] {
    return this.#member?.standing ?? [];
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
    return this.#stats.memory;
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
      stats: () => this.#tellStats(),
      events: {
        report: (report) => {
          this.#stats.note(report);
          this.#tell('report', report);
          // One name and one payload for each type: the compiler cannot follow that through a union.
          this.#tell(report.type, ...([report] as never));
        },
        handled: (partition, message, how) => {
          counters.handled++;
          if (how === 'dead-letter') counters.deadLettered++;
          else if (how === 'skip') counters.skipped++;
          if (this.listenerCount('handled') > 0) this.#tell('handled', { partition, message, how });
        },
        committed: (partition, sequence, tookMs) => {
          if (this.listenerCount('committed') > 0) this.#tell('committed', { partition, sequence, tookMs });
        },
        attemptFailed: (partition, message, attempt, error, then) => {
          counters.failed++;
          this.#tell('failed', { partition, message, attempt, error, then });
        },
        overdue: (partition, sequences) => this.#tell('overdue', { partition, sequences }),
        uncommitted: (partition, range) => this.#tell('uncommitted', { partition, ...range }),
        trimmed: (partition, trimmed) => this.#tell('trimmed', { partition, ...trimmed }),
        unread: (partition, reason, retryMs) => this.#tell('unread', { partition, reason, retryMs }),
        stopped: (_partition, error) => this.#stop(error),
      },
    });
    this.#member = member;
    const cancelMemory = every(clock, this.#config.memoryIntervalMs, () => {
      if (this.listenerCount('memory') > 0) this.#tell('memory', this.memory);
    });
    const cancelRates = every(clock, RATE_EVERY_MS, () => {
      this.#stats.look(this.partitions);
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
    this.#leaveWith(options.signal);
  }

  /** What it ends with is told by `closed`. The signal may be the program's, and see many members come and go. */
  #leaveWith(signal: AbortSignal | undefined): void {
    const member = this.#member;
    const leave = (): void => void member?.leave().catch(() => {});
    const forget = (): void => signal?.removeEventListener('abort', leave);
    signal?.addEventListener('abort', leave, { once: true });
    if (signal?.aborted) leave();
    member?.closed.then(forget, forget);
  }

  /** Puts around the handler what was asked for. */
  async #wrap(options: GroupMemberOptions, clock: Clock): Promise<Handler> {
    let handler = this.#stats.timed(options.handler);
    if (options.guard) {
      const stop = (error: unknown): void =>
        this.#stop(new Error(`nothing caught its error: ${messageOf(error)}`, { cause: error }));
      this.#guard = guardStrays(handler, options.guard === 'process' ? stop : undefined);
      handler = this.#guard.handler;
      if (REJECTIONS_ARE_ANONYMOUS) {
        const warning = 'Bun does not say which message a forgotten promise belongs to: none is its failure';
        options.logger?.warn(warning);
      }
    }
    if (!options.health) return handler;
    const { group, stream } = this.#config;
    // Loaded for those who want it: most programs have no use for a metrics library.
    const [{ Metrics }, { HealthServer }] = await Promise.all([
      import('../health/metrics.js'),
      import('../health/server.js'),
    ]);
    const metrics = new Metrics({ stream, group, member: this.name });
    metrics.attach(this);
    this.#health = await HealthServer.open(this, metrics, options.health, clock);
    return metrics.timed(handler);
  }

  async #cleanUp(): Promise<void> {
    this.#stats.stop();
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

  #tellStats(): MemberStats {
    const { group, stream } = this.#config;
    const { id, name, counters, partitions, standing } = this;
    const version = this.#version;
    return this.#stats.stats({ id, name, group, stream, version, counters, partitions, standing });
  }
}

function every(clock: Clock, intervalMs: number, callback: () => void): () => void {
  let cancel = clock.at(clock.now() + intervalMs, function again() {
    cancel = clock.at(clock.now() + intervalMs, again);
    callback();
  });
  return () => cancel();
}
