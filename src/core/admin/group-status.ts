import { drainMs } from '../lib/drain.js';
import type { Uncovered } from '../ports/facts.js';
import type { Idle } from './idle.js';
import {
  isEstimate,
  isOwned,
  type LeaseStatus,
  type Progress,
  standsStill,
  totalLag,
} from './lease-status.js';
import { isDead, type MemberStatus, sumOf } from './members.js';
import type { Unread } from './unread.js';

/** A group at one moment. */
export interface GroupStatus {
  partitions: LeaseStatus[];
  /** The group's members, sorted by name. */
  members: MemberStatus[];
  /** Messages of the stream that belong to no partition; absent if none are known. */
  uncovered?: Uncovered | undefined;
  /** For a keyed group: messages that the group has not read yet; absent if unknown. */
  unread?: Unread | undefined;
  /** A resize that is not done yet. */
  resize?: ResizeStatus | undefined;
  /** Present if the group has no members and needs none. */
  idle?: Idle | undefined;
}

/** A resize that is in progress. */
export interface ResizeStatus {
  /** The requested number of partitions, and its operator. */
  to: number;
  by: string;
  /** Time since the resize was requested, in milliseconds. */
  forMs: number;
  /** Number of partitions that are closed already. */
  closed: number;
}

/** The totals of a group. */
export interface GroupTotals {
  partitions: number;
  /** Number of partitions whose owner has a session. */
  owned: number;
  /** Number of running members. */
  members: number;
  /** Number of dead members whose sessions still exist. */
  unreachable: number;
  /** Number of messages that wait; null if unknown for at least one partition. */
  lag: number | null;
  /** The age of the oldest waiting message, in milliseconds; null if no message waits, or if the age is unknown. */
  oldestMs: number | null;
  /**
   * How long the waiting messages take at the present rate, in milliseconds. Null if this is unknown, if nothing is being handled, or if
   * messages wait in a partition that no member works on.
   */
  drainMs: number | null;
  /** True if the lag is an estimate: the server cannot count by key, or has no room for a consumer that counts. */
  lagIsEstimate: boolean;
  /** Number of messages without a key that the present members have handled; 0 unless the group is keyed. */
  withoutKey: number;
}

/** The totals of a group. */
export function totalsOf({ partitions, members, unread }: GroupStatus): GroupTotals {
  const lag = totalLag(partitions);
  const unreachable = members.filter(isDead).length;
  return {
    partitions: partitions.length,
    owned: partitions.filter(isOwned).length,
    members: members.length - unreachable,
    unreachable,
    // Each partition's share is rounded up, so their sum can exceed the number of unread messages.
    lag: lag === null || !unread ? lag : Math.min(lag, unread.messages),
    oldestMs: oldestOf(partitions) ?? unread?.oldestAgeMs ?? null,
    drainMs: partitions.some(standsStill)
      ? null
      : drainMs(lag, sumOf(partitions.map(({ ratePerSecond }) => ratePerSecond ?? 0))),
    lagIsEstimate: partitions.some(isEstimate),
    withoutKey: members.reduce((sum, { stats }) => sum + (stats?.withoutKey ?? 0), 0),
  };
}

/** The totals of a group that cannot be read. */
export const NO_TOTALS: GroupTotals = {
  partitions: 0,
  owned: 0,
  members: 0,
  unreachable: 0,
  lag: null,
  oldestMs: null,
  drainMs: null,
  lagIsEstimate: false,
  withoutKey: 0,
};

/** The age of the oldest waiting message, in milliseconds; null if no message waits, or if the age is unknown. */
const oldestOf = (partitions: readonly Pick<Progress, 'oldestMs'>[]): number | null =>
  partitions.reduce<number | null>(
    (most, { oldestMs }) => (oldestMs === null ? most : Math.max(most ?? 0, oldestMs)),
    null,
  );
