import type { Cancel, Clock } from '../../lib/clock.js';
import type { Report } from '../../protocol/events.js';
import { leaseNow } from '../../protocol/known-layout.js';
import { pauseOf } from '../../protocol/pauses.js';
import type { State } from '../../protocol/state.js';
import { BlockedLoop } from './blocked.js';
import type { PartitionStatus } from './contract.js';
import { HoldUps } from './hold-ups.js';
import type { Runners } from './runners.js';
import { type BucketHealth, type Standing, Standstill } from './standstill.js';

/** Interval between checks for a lack of progress and for a blocked event loop. */
const LOOK_EVERY_MS = 1_000;

/** The dependencies of {@link OwnStatus}. */
export interface OwnStatusPorts {
  clock: Clock;
  state: State;
  runners: Runners;
  bucket: BucketHealth;
  /** The ttl of the session, in milliseconds. */
  ttlMs: number;
  /** Processor time of the process, in milliseconds. Without it, a blocked event loop is not detected. */
  cpuMs: (() => number) | undefined;
  report: (report: Report) => void;
}

/** What a member reports about itself and its partitions. */
export class OwnStatus {
  readonly holdUps: HoldUps;
  readonly #ports: OwnStatusPorts;
  readonly #standstill: Standstill;
  readonly #blocked: BlockedLoop | undefined;
  #cancelLook: Cancel | undefined;

  constructor(ports: OwnStatusPorts) {
    const { clock, state, runners, bucket, ttlMs, cpuMs } = ports;
    this.#ports = ports;
    this.holdUps = new HoldUps(clock);
    this.#standstill = new Standstill({
      state,
      bucket,
      status: (partition, epoch) => ({
        status: runners.status(partition, epoch).status,
        ...runners.activity(partition),
      }),
      failureOf: (partition) => this.holdUps.failureOf(partition),
    });
    this.#blocked = cpuMs && new BlockedLoop(ttlMs / 3, cpuMs);
  }

  /** Checks for missing progress and for a blocked event loop, until {@link stop} is called. */
  start(): void {
    const { clock, runners, report } = this.#ports;
    const dueAt = clock.now() + LOOK_EVERY_MS;
    this.#cancelLook = clock.at(dueAt, () => {
      this.start();
      const now = clock.now();
      const blocked = this.#blocked?.look(now, dueAt, runners.rules.slice.lastCall);
      if (blocked) report({ type: 'blocked', ...blocked });
      for (const standing of this.#standstill.look(now)) report({ type: 'standing', ...standing });
    });
  }

  stop(): void {
    this.#cancelLook?.();
  }

  /** What makes no progress, and why: single partitions, or the whole member. */
  get standing(): readonly Standing[] {
    return this.#standstill.all;
  }

  /** Number of messages whose handlers are running now. */
  get inFlight(): number {
    const { state, runners } = this.#ports;
    return [...state.own.keys()].reduce((sum, each) => sum + runners.activity(each).running.length, 0);
  }

  /** The partitions that this member owns, including halted and paused partitions. */
  get partitions(): PartitionStatus[] {
    const { state, runners } = this.#ports;
    const standing = new Map(this.standing.map((each) => [each.partition, each]));
    return [...state.own].map(([partition, own]): PartitionStatus => {
      const { epoch, phase, retryAt } = own;
      const { isRunning, status } = runners.status(partition, epoch);
      const { failing, running } = runners.activity(partition);
      const facts = { partition, phase, retryAt, status, failing, running: running[0] };
      const held = this.holdUps.of({ ...facts, standing: standing.get(partition) });
      const pause = phase === 'paused' && pauseOf(state, partition);
      const about = { partition, epoch, ...status, ...(pause && { pause }), ...(held && { holdUp: held }) };
      if (isRunning) return failing && status.state === 'running' ? { ...about, state: 'retrying' } : about;
      const rests = phase === 'halted' || phase === 'waiting' || phase === 'paused';
      return { ...about, state: rests ? phase : 'draining' };
    });
  }

  /** True while the member is in the group and every partition of the group has an owner. */
  get isSettled(): boolean {
    const { state } = this.#ports;
    const { session, viewReady, partitions } = state;
    if (session.id === null || session.revision === 0 || !viewReady) return false;
    for (let partition = 0; partition < partitions; partition++) {
      const record = leaseNow(state, partition)?.record;
      if (record !== 'unreadable' && !record?.owner) return false;
    }
    return true;
  }
}
