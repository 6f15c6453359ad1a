import { type HoldUp, isTrouble } from '../protocol/hold-up.js';
import type { LeaseReason } from '../protocol/records.js';
import type { PositionFault } from './position-fault.js';

/**
 * The state of a partition. `unowned`: no owner. `orphaned`: the owner has no session any more. `expired`: the owner neither renews nor
 * answers. `blocked`: it answers, but cannot renew. `unreachable`: it does not renew, and the server knows no subscriber. `silent`: the
 * owner does not answer. `unreadable`: the lease cannot be read. `owned`: the owner has reported no state. `closed`: closed for a resize.
 * `reserved`: kept for a restart of the owner. `idle`: needs no owner, because the group's members finished their bounded job. The owner
 * reports all other states: `starting`, `running`, `retrying`, `draining`, `drained`, `waiting`, `halted`, `paused`.
 */
export type LeaseState =
  | 'unowned'
  | 'orphaned'
  | 'expired'
  | 'blocked'
  | 'unreachable'
  | 'silent'
  | 'unreadable'
  | 'owned'
  | 'closed'
  | 'reserved'
  | 'idle'
  | (string & {});

/** States of a partition that need no attention. */
const HEALTHY = new Set<LeaseState>([
  'owned',
  'running',
  'retrying',
  'starting',
  'draining',
  'drained',
  'paused',
  'closed',
  'reserved',
  'idle',
]);

/** True if an operator should look at the partition, because it makes no progress. A short retry needs no attention. */
export const needsAttention = ({ state, holdUp }: Pick<LeaseStatus, 'state' | 'holdUp'>): boolean =>
  !HEALTHY.has(state) || (holdUp !== null && isTrouble(holdUp));

/** The progress of a partition. A field is null if there is no value, or if it is unknown. */
export interface Progress {
  /** The last handled sequence; null if the group has no position in the partition. */
  position: number | null;
  /** The last stored sequence; null if the partition is empty. */
  end: number | null;
  /** Number of messages between position and end; null if unknown. */
  lag: number | null;
  /** Only for a keyed group: the exact number of messages of all its partitions after the position. `lag` is then an estimate. */
  unread?: number | undefined;
  /** True if the lag is an estimate, because the stream has no room for a consumer that counts. */
  isEstimate?: true | undefined;
  /** The age of the first waiting message, in milliseconds; null if none waits, or if the age is unknown. */
  oldestMs: number | null;
  /** Recent messages per second, as the owner reports. */
  ratePerSecond: number | null;
  /** The fault of the position; null if there is no fault. Members do not read a partition whose position is wrong. */
  positionFault: PositionFault | null;
  /** Time since the last commit, in milliseconds; null if there was none. */
  positionAgeMs: number | null;
  /** The stream dropped at most this many messages before they were handled, counted from the last seek or the start of the group. */
  trimmed: number;
}

/** The owner and progress of a partition. */
export interface LeaseStatus extends Progress {
  partition: number;
  /** Name and session of the owner, dead or alive; null if there is no owner. */
  owner: string | null;
  session: string | null;
  /** The owner's epoch: the revision of the lease; 0 if there never was a lease. */
  epoch: number;
  /** Why the partition moved to its owner, and the name of the previous owner. */
  reason: LeaseReason | null;
  from: string | null;
  /** The member for which the partition is kept during a restart, and the remaining time, in milliseconds. */
  reservedFor: string | null;
  reservedMs: number | null;
  /** Time since the last change of owner, in milliseconds. */
  heldMs: number | null;
  /** True if the override (pin, pause) cannot be read and is ignored. */
  overrideUnreadable: boolean;
  /** True if an operator has paused the partition. If not, `pausedBy` and `pausedMs` are null. */
  paused: boolean;
  pausedBy: string | null;
  pausedMs: number | null;
  /** Name or session id of the member to which the partition is pinned. */
  pin: string | null;
  state: LeaseState;
  /** Why the partition is held up, as its owner reports; null if it is not held up, or if the reason is unknown. */
  holdUp: HoldUp | null;
}

/** True for a partition whose owner has a session. */
export const isOwned = ({ session, state }: LeaseStatus): boolean => session !== null && state !== 'orphaned';

/**
 * True if the lag is an estimate: the partition's share of the messages that its keyed group has not read, or of the messages of a stream
 * without room for a consumer.
 */
export const isEstimate = ({
  lag,
  unread,
  isEstimate,
}: Pick<Progress, 'lag' | 'unread' | 'isEstimate'>): boolean =>
  (unread !== undefined || isEstimate === true) && lag !== 0;

/** True if messages wait in a partition that no member works on. */
export const standsStill = (lease: Pick<LeaseStatus, 'state' | 'holdUp' | 'lag' | 'paused'>): boolean =>
  lease.lag !== 0 && (lease.paused || needsAttention(lease));

/** The sum of the lags; null if a lag is unknown. */
export function totalLag(partitions: readonly { lag: number | null }[]): number | null {
  return partitions.reduce<number | null>(
    (sum, { lag }) => (sum === null || lag === null ? null : sum + lag),
    0,
  );
}
