import { type GroupStatus, totalsOf } from '../../core/admin/group-status.js';
import { totalLag } from '../../core/admin/lease-status.js';
import { isLong } from '../../core/protocol/hold-up.js';

/** The rate of arrivals is measured over this period, in milliseconds. */
const WINDOW_MS = 60_000;
/** Members count as working at full speed if draining the lag would take longer than this, in milliseconds. */
const BEHIND_MS = 5_000;

/** The load of a group according to one reading. */
export interface Load {
  atMs: number;
  partitions: number;
  /** Members that are running. */
  members: number;
  /** Running members that handle messages. */
  busy: number;
  /** Waiting messages in partitions that are neither paused nor held up; null: not known. */
  lag: number | null;
  /** Messages handled per second. */
  handledPerSecond: number;
  /** The positions of the partitions that count. */
  positions: ReadonlyMap<number, number | null>;
}

/**
 * True if the lag of both loads is about the same partitions. Otherwise a resumed partition or a seek back would count as arriving messages.
 */
const areComparable = (before: Load, now: Load): boolean =>
  before.positions.size === now.positions.size &&
  [...now.positions].every(([partition, position]) => {
    const former = before.positions.get(partition);
    return former !== undefined && (position ?? 0) >= (former ?? 0);
  });

/** The load of a group. Partitions that are paused or held up do not count, because more members would not help them. */
export function loadOf(status: GroupStatus, atMs: number): Load {
  const { partitions, members } = totalsOf(status);
  const free = status.partitions.filter(
    ({ paused, holdUp, positionFault }) =>
      !paused && positionFault === null && !(holdUp !== null && isLong(holdUp)),
  );
  return {
    atMs,
    partitions,
    members,
    busy: status.members.filter(({ ratePerSecond }) => (ratePerSecond ?? 0) > 0).length,
    lag: totalLag(free),
    handledPerSecond: free.reduce((sum, { ratePerSecond }) => sum + (ratePerSecond ?? 0), 0),
    positions: new Map(free.map(({ partition, position }) => [partition, position])),
  };
}

/** The number of members that a group needs, and the rates behind it. */
export interface Suggestion {
  suggestedMembers: number;
  /** Messages per second; null: not known yet. */
  arrivingPerSecond: number | null;
  /** Lower bound on the messages per second that one member can handle; null: not known yet. */
  memberPerSecond: number | null;
}

/**
 * Suggests the number of members that a group should have, from rates that are updated with each reading:
 *
 *     ceil((arrivals per second + lag / drain target) / rate of one member), from 1 to the number of partitions
 *
 * See docs/decisions/2026-11-29-suggested-members.md.
 */
export class Suggestions {
  readonly #targetMs: number;
  #loads: Load[] = [];
  #memberPerSecond: number | null = null;

  /** @param targetMs the time in which waiting messages should be handled, in milliseconds. */
  constructor(targetMs: number) {
    this.#targetMs = targetMs;
  }

  next(load: Load): Suggestion {
    this.#learn(load);
    this.#loads = [...this.#loads.filter(({ atMs }) => load.atMs - atMs <= WINDOW_MS), load];
    const arrivingPerSecond = this.#arriving();
    const memberPerSecond = this.#memberPerSecond;
    return {
      suggestedMembers: this.#suggest(load, arrivingPerSecond, memberPerSecond),
      arrivingPerSecond,
      memberPerSecond,
    };
  }

  /** While few messages wait, the measured rate is only a lower bound of the full speed. */
  #learn({ busy, lag, handledPerSecond }: Load): void {
    if (busy === 0 || handledPerSecond === 0) return;
    const each = handledPerSecond / busy;
    const isBehind = lag !== null && (lag / handledPerSecond) * 1_000 > BEHIND_MS;
    this.#memberPerSecond = isBehind ? each : Math.max(this.#memberPerSecond ?? 0, each);
  }

  /**
   * Arrivals are the handled messages plus the growth of the lag, between readings of the same partitions. The sum can be negative after a
   * seek or a purge, and then counts as 0.
   */
  #arriving(): number | null {
    let [messages, seconds] = [0, 0];
    for (const [i, load] of this.#loads.entries()) {
      const before = this.#loads[i - 1];
      if (!before || before.lag === null || load.lag === null || !areComparable(before, load)) continue;
      const elapsed = (load.atMs - before.atMs) / 1_000;
      messages += Math.max(0, load.handledPerSecond * elapsed + load.lag - before.lag);
      seconds += elapsed;
    }
    return seconds > 0 ? messages / seconds : null;
  }

  #suggest({ lag, members, partitions }: Load, arriving: number | null, each: number | null): number {
    const present = Math.max(1, members);
    const bounded = (wanted: number): number => Math.min(Math.max(1, wanted), Math.max(1, partitions));
    if (lag === null || each === null) return bounded(present);
    const perSecond = (arriving ?? 0) + lag / (this.#targetMs / 1_000);
    // While the rate of arrivals is unknown, suggest no fewer members.
    return bounded(Math.max(Math.ceil(perSecond / each), arriving === null ? present : 1));
  }
}
