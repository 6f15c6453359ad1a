import type { Clock } from '../lib/clock.js';
import type { HealthSubject } from './subject.js';

/** A partition with messages that wait and no progress for this long is stuck. */
const STUCK_AFTER_MS = 60_000;

/** As much of a member as can be judged. */
export type Watched = Pick<HealthSubject, 'id' | 'partitions' | 'standing'> & {
  on(type: 'expired' | 'resumed' | 'joined', listener: () => void): unknown;
};

/** Whether a member does what it is there for. */
export class Readiness {
  readonly #member: Watched;
  readonly #clock: Clock;
  readonly #stuckAfterMs: number;
  /** Since when each partition stands where it stands. */
  readonly #standing = new Map<number, { position: number; since: number }>();
  #inTouch = true;

  constructor(member: Watched, clock: Clock, stuckAfterMs = STUCK_AFTER_MS) {
    this.#member = member;
    this.#clock = clock;
    this.#stuckAfterMs = stuckAfterMs;
    member.on('expired', () => {
      this.#inTouch = false;
    });
    for (const type of ['resumed', 'joined'] as const) {
      member.on(type, () => {
        this.#inTouch = true;
      });
    }
  }

  /** Looks where everything stands; to be called now and then, so that standing still is noticed. */
  look(): void {
    const now = this.#clock.now();
    const owned = new Set<number>();
    for (const { partition, position } of this.#member.partitions) {
      owned.add(partition);
      if (this.#standing.get(partition)?.position !== position)
        this.#standing.set(partition, { position, since: now });
    }
    for (const partition of this.#standing.keys())
      if (!owned.has(partition)) this.#standing.delete(partition);
  }

  /** What is wrong, one reason each; none: ready. */
  problems(): string[] {
    this.look();
    const stuck = this.#member.standing.filter(({ why }) => why === 'stuck');
    const reasons = stuck.map(({ partition, reason, forMs }) => {
      const what = partition === null ? 'nothing is handled' : `p${partition} has made no progress`;
      return `${what} for ${Math.round(forMs / 1_000)} s: ${reason}`;
    });
    if (this.#member.id === null) return ['not in the group', ...reasons];
    const problems = this.#inTouch ? reasons : ['could not renew its session in time', ...reasons];
    const now = this.#clock.now();
    for (const { partition, state, lag } of this.#member.partitions) {
      const standing = this.#standing.get(partition);
      // A paused partition stands still on purpose.
      if (stuck.some((each) => each.partition === partition)) continue;
      if (state === 'halted') problems.push(`p${partition} is given up`);
      else if (state !== 'paused' && lag > 0 && standing && now - standing.since > this.#stuckAfterMs)
        problems.push(
          `p${partition} has made no progress for ${Math.round((now - standing.since) / 1_000)} s`,
        );
    }
    return problems;
  }
}
