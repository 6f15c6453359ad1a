import { EventEmitter } from 'node:events';
import { hostname } from 'node:os';
import type { Config } from '../config/config.js';
import { Readiness } from '../health/readiness.js';
import { type Clock, every, systemClock } from '../lib/clock.js';
import { messageOf } from '../lib/errors.js';
import type { MemberStats } from '../protocol/member-stats.js';
import { checkReservation } from '../protocol/reservations.js';
import type { PartitionStatus } from './engine/contract.js';
import type { MemberEngine } from './engine/engine.js';
import type { Standing } from './engine/standstill.js';
import { startMember } from './join.js';
import { leaveOnAbort } from './leave-on-abort.js';
import { MemberEnd } from './member-end.js';
import type { MemberCounters, MemberEventMap } from './member-events.js';
import { logListenerFailure, sparing } from './member-log.js';
import type { GroupMemberOptions } from './member-options.js';
import { type Logger, SILENT } from './partition/logger.js';
import { checkPartition, checkPause } from './partition/pauses.js';
import { type PartitionTold, partitionListener } from './partition-listener.js';
import type { MemorySample } from './stats/memory.js';
import { OwnStats } from './stats/own-stats.js';
import { tellListeners } from './tell-listeners.js';
import { untilReady } from './until-ready.js';
import { type WrappedHandler, wrapForMember } from './wrapped-handler.js';

/**
 * A running member of a group, with its events. The member runs until `leave()` is called, or until an error ends the member. If an
 * error ends the member, `closed` rejects with that error.
 */
export class GroupMember extends EventEmitter<MemberEventMap> implements AsyncDisposable {
  readonly name: string;
  readonly counters: MemberCounters = {
    handled: 0,
    failed: 0,
    retried: 0,
    deadLettered: 0,
    skipped: 0,
    withoutKey: 0,
  };
  readonly #config: Config;
  readonly #version: string;
  readonly #stats = new OwnStats();
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #readiness: Readiness;
  #ready: Promise<void> | undefined;
  #member: MemberEngine | undefined;
  /** `#member` while it runs. An engine that failed still has its last state. */
  #running: MemberEngine | undefined;
  #wrapped: WrappedHandler | undefined;
  /** Requests that came before the member had started. They are executed in order, before its first event. */
  readonly #early: ((engine: MemberEngine) => void)[] = [];
  readonly #end = new MemberEnd();

  private constructor(options: GroupMemberOptions, clock: Clock) {
    super();
    this.#clock = clock;
    this.#config = options.config;
    this.#version = options.version;
    this.#readiness = new Readiness(this);
    this.#logger = sparing(options.logger ?? SILENT);
    this.name = options.config.name ?? `${hostname()}-${process.pid}`;
  }

  /**
   * Joins a group. The caller closes the connection.
   *
   * @param listen adds listeners before the first event.
   * @throws NatspocError if the group cannot be joined.
   */
  static async open(
    options: GroupMemberOptions,
    listen: (member: GroupMember) => void = () => {},
    clock: Clock = systemClock,
  ): Promise<GroupMember> {
    const opened = new GroupMember(options, clock);
    try {
      listen(opened);
      await opened.#start(options);
    } catch (error) {
      await opened.#cleanUp();
      opened.#end.notStarted(error);
      // The caller gets the error.
      opened.closed.catch(() => {});
      throw error;
    }
    return opened;
  }

  /**
   * Resolves when the member has left; rejects with a NatspocError if an error ended the member, or if it could not join. If nothing
   * handles the rejection of a running member, Node ends the process with an error.
   */
  get closed(): Promise<void> {
    return this.#end.closed;
  }

  /** Session id in the group; null without a session. */
  get id(): string | null {
    return this.#running?.id ?? null;
  }

  /** The partitions that this member owns, with their progress. */
  get partitions(): PartitionStatus[] {
    return this.#running?.status.partitions ?? [];
  }

  /** The partitions that make no progress, and why. `partition` is null if the whole member makes no progress. */
  get standing(): readonly Standing[] {
    return this.#running?.status.standing ?? [];
  }

  /** True while this member is in the group and every partition of the group has an owner. */
  get isSettled(): boolean {
    return this.#running?.status.isSettled ?? false;
  }

  /** URL of the health checks and metrics; undefined if they are not served. */
  get healthUrl(): string | undefined {
    return this.#wrapped?.healthUrl;
  }

  /**
   * All measurements as plain data, as in STATS and `natspoc top`. A program can copy these measurements into its own metrics registry.
   */
  get stats(): MemberStats {
    return this.#tellStats();
  }

  /** The current memory use of this process. */
  get memory(): MemorySample {
    return this.#stats.memory;
  }

  /**
   * Lets running handlers finish within the drain timeout, commits, hands over all partitions and leaves. May be called repeatedly. A
   * member that is still joining leaves as soon as it has started.
   *
   * @param options `rejoinWithinMs`: if above 0, the partitions are kept for this time for the next member with the same name. At most 1
   *   h; default 0: the partitions are handed over.
   * @throws NatspocError the error that ended the member.
   */
  async leave({ rejoinWithinMs = 0 }: { rejoinWithinMs?: number | undefined } = {}): Promise<void> {
    checkReservation(rejoinWithinMs);
    this.#leave(rejoinWithinMs);
    await this.closed.catch((error: unknown) => {
      // If the member could not join, the caller of the join gets the error.
      if (this.#member) throw error;
    });
  }

  /** Leaves; see {@link leave}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.leave();
  }

  /** Gives a partition to the member with this name or session id. Null chooses the member with the fewest partitions. */
  release(partition: number, to: string | null = null): void {
    checkPartition(partition, 'release');
    this.#request(({ orders }) => void orders.release(partition, to));
  }

  /**
   * Starts no more handlers of a partition, or of all partitions. Running handlers finish. The partition keeps its owner. The pause
   * stays in force even if the partition moves to another member and returns.
   *
   * @param forMs the pause ends after this time; by default it lasts until {@link resume} is called.
   */
  pause(partition?: number, { forMs }: { forMs?: number | undefined } = {}): void {
    checkPause(partition ?? null, forMs);
    this.#request(({ pauses }) => pauses.pause(partition ?? null, forMs));
  }

  /** Ends the pause of a partition, or all pauses. */
  resume(partition?: number): void {
    if (partition !== undefined) checkPartition(partition, 'resume');
    this.#request(({ pauses }) => pauses.resume(partition ?? null));
  }

  /** The reasons why the member cannot do its work; empty if there are none. `/readyz` returns the same reasons. */
  problems(): string[] {
    return this.#readiness.problems();
  }

  /**
   * Resolves when every partition of the group has an owner, and this member has taken over its share. Rejects if the member ends
   * before it is ready.
   */
  get ready(): Promise<void> {
    this.#ready ??= untilReady(this, this.#end.ended, this.#clock);
    this.#ready.catch(() => {});
    return this.#ready;
  }

  async #start(options: GroupMemberOptions): Promise<void> {
    this.#wrapped = await wrapForMember(this, options, {
      stats: this.#stats,
      logger: this.#logger,
      stop: (error) =>
        this.#stop(new Error(`nothing caught its error: ${messageOf(error)}`, { cause: error })),
    });
    const { connection, start, ...rest } = options;
    const join = start ?? ((about) => startMember({ ...about, connection }));
    const member = await join({
      ...rest,
      name: this.name,
      handler: this.#wrapped.handler,
      stats: () => this.#tellStats(),
      onUncovered: (found) => this.#tell('uncovered', found),
      events: {
        report: (report) => {
          this.#stats.note(report);
          this.#tell('report', report);
          // Each type of report has its own event with its own payload. The compiler cannot derive this from the union type of `report`.
          this.#tell(report.type, ...([report] as never));
        },
        partition: (partition) => partitionListener(partition, this.#told),
      },
    });
    this.#member = member;
    this.#running = member;
    for (const request of this.#early.splice(0)) request(member);
    const cancelMemory = every(this.#clock, this.#config.memoryIntervalMs, () => {
      if (this.listenerCount('memory') > 0) this.#tell('memory', this.memory);
    });
    this.#stats.start(this.#clock, () => this.partitions);
    this.#end.follow(
      member.closed
        .finally(() => {
          this.#running = undefined;
          cancelMemory();
          return this.#cleanUp();
        })
        .finally(options.onEnd),
    );
    // If nothing handles a rejection of `closed`, Node has to report it, even if the program never reads `closed`.
    void this.closed;
    leaveOnAbort(member, options.signal);
  }

  #request(request: (engine: MemberEngine) => void): void {
    if (this.#member) request(this.#member);
    else this.#early.push(request);
  }

  /** An error that ends the member is reported by `closed`. */
  #leave(rejoinWithinMs?: number): void {
    this.#request((engine) => void engine.leave(rejoinWithinMs).catch(() => {}));
  }

  get #told(): PartitionTold {
    return {
      counters: this.counters,
      isKeyed: () => this.#member?.isKeyed === true,
      isHeard: (event) => this.listenerCount(event) > 0,
      tell: (event, ...args) => this.#tell(event, ...args),
      stop: (error) => this.#stop(error),
    };
  }

  async #cleanUp(): Promise<void> {
    this.#stats.stop();
    await this.#wrapped?.stop();
  }

  /** Leaves because the handler cannot handle any message. Other members get the partitions, and `closed` rejects with the cause. */
  #stop(cause: Error): void {
    this.#end.handlerFailed(cause);
    this.#leave();
  }

  #tell<E extends keyof MemberEventMap>(event: E, ...args: MemberEventMap[E]): void {
    tellListeners(this, event, args, (error) => logListenerFailure(this.#logger, event, error));
  }

  #tellStats(): MemberStats {
    const { group, stream } = this.#config;
    const { id, name, counters, partitions, standing } = this;
    const version = this.#version;
    const inFlight = this.#running?.status.inFlight ?? 0;
    return this.#stats.stats({ id, name, group, stream, version, counters, inFlight, partitions, standing });
  }
}
