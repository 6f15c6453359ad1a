import { drainMs } from '../lib/drain.js';
import type { PositionFacts, Uncovered } from '../ports/facts.js';
import type { GroupObserver } from '../ports/observer.js';
import { type HoldUp, isLong } from '../protocol/hold-up.js';
import type { MemberStats, PartitionStats } from '../protocol/member-stats.js';
import type { LeaseReason } from '../protocol/records.js';
import { GroupEntries, readable, type SeenOverride } from './group-entries.js';
import { positionsNow } from './group-layout.js';
import { type Idle, readIdle } from './idle.js';
import { readLags } from './lag.js';
import { isDead, type MemberStatus, readMembers, sumOf } from './members.js';
import { type PositionFault, readPositionFaults } from './position-fault.js';
import { type Unread, withUnread } from './unread.js';

/**
 * The state of a partition. `unowned`: it has no owner; `orphaned`: its owner has no session any more;
 * `expired`, `unreachable`, `silent`: its owner has not renewed, has no connection, does not answer;
 * `unreadable`: its lease cannot be read; `owned`: nothing more is known; otherwise as its owner reports: `starting`,
 * `running`, `retrying`, `draining`, `drained`, `waiting`, `halted`, `paused`. `closed`: it is closed for a resize. `reserved`: its owner
 * left for a restart, and has time left to return. `idle`: it has no owner, and needs none, because the members of its group had a bounded
 * job and did it.
 */
type LeaseState =
  | 'unowned'
  | 'orphaned'
  | 'expired'
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

/** True if no member makes progress in the partition, so that an operator should look. A short retry is routine. */
export const needsAttention = ({ state, holdUp }: Pick<LeaseStatus, 'state' | 'holdUp'>): boolean =>
  !HEALTHY.has(state) || (holdUp !== null && isLong(holdUp));

/** The progress of a partition; null: unknown, or none. */
export interface Progress {
  /** The last handled sequence; null: the group has no position here. */
  position: number | null;
  /** The last stored sequence; null: the partition is empty. */
  end: number | null;
  /** Messages between position and end; null: unknown. */
  lag: number | null;
  /** Of a keyed group, whose lag is an estimate: messages of the group after the position, exactly. */
  unread?: number | undefined;
  /** How long ago the first waiting message was stored, milliseconds; null: none waits, or not known. */
  oldestMs: number | null;
  /** Recent messages per second, as its owner reports; null: not reported. */
  ratePerSecond: number | null;
  /** The fault of the position; null: none, or no position. Members read nothing after a wrong position. */
  positionFault: PositionFault | null;
  /** Time since the last commit, milliseconds; null: never. */
  positionAgeMs: number | null;
  /** Upper bound on the messages that the stream dropped before they were handled, since the group started or the last seek. */
  trimmed: number;
}

/** The owner and progress of a partition. */
export interface LeaseStatus extends Progress {
  partition: number;
  /** Name and session of its owner, dead or alive; null: none. */
  owner: string | null;
  session: string | null;
  /** The owner's epoch: the revision of the lease; 0 if there never was a lease. */
  epoch: number;
  /** Why the partition moved to its owner, and the previous owner. */
  reason: LeaseReason | null;
  from: string | null;
  /** The member for which it is kept, if that left for a restart, and how long it has left to return, milliseconds. */
  reservedFor: string | null;
  reservedMs: number | null;
  /** Time since the last change of owner, milliseconds. */
  heldMs: number | null;
  /** The override (pin, pause) cannot be read and is ignored. */
  overrideUnreadable: boolean;
  /** Paused by an operator: owned, but not handled. By whom, and since when, milliseconds; null: not paused. */
  paused: boolean;
  pausedBy: string | null;
  pausedMs: number | null;
  /** Name or session id of the member to which it is pinned. */
  pin: string | null;
  state: LeaseState;
  /** What holds it up, as its owner reports; null: nothing, or not known. */
  holdUp: HoldUp | null;
}

/** A group at one moment. */
export interface GroupStatus {
  partitions: LeaseStatus[];
  /** Its members, by name. */
  members: MemberStatus[];
  /** Messages of the stream that no partition takes; absent: none are known. */
  uncovered?: Uncovered | undefined;
  /** Of a keyed group: what it has not read yet; absent: not known. */
  unread?: Unread | undefined;
  /** A resize that is not carried out yet. */
  resize?: ResizeStatus | undefined;
  /** Present if it has no members and needs none. */
  idle?: Idle | undefined;
}

/** A resize that is being carried out. */
export interface ResizeStatus {
  /** The number of partitions that is wanted, and the operator who ordered it. */
  to: number;
  by: string;
  /** Since when, milliseconds. */
  forMs: number;
  /** Partitions that are closed already. */
  closed: number;
}

/** The totals of a group. */
export interface GroupTotals {
  partitions: number;
  /** Partitions whose owner has a session. */
  owned: number;
  /** Members that run. */
  members: number;
  /** Members that died, but whose sessions have not been removed yet. */
  unreachable: number;
  /** Messages that wait; null: unknown for at least one partition. */
  lag: number | null;
  /** How long ago the oldest of them was stored, milliseconds; null: none waits, or not known. */
  oldestMs: number | null;
  /** How long they take at the present rate of handling, milliseconds, if no more arrive; null: nothing is handled, or not known. */
  drainMs: number | null;
  /** The server cannot count by key: the lag is an estimate. */
  lagIsEstimate: boolean;
  /** Messages without a key that its members have handled since they started; 0 unless it is a keyed group. */
  withoutKey: number;
}

/** True for a partition whose owner has a session. */
export const isOwned = ({ session, state }: LeaseStatus): boolean => session !== null && state !== 'orphaned';

/** The totals of a group. */
export function totalsOf({ partitions, members, unread }: GroupStatus): GroupTotals {
  const lag = totalLag(partitions);
  const unreachable = members.filter(isDead).length;
  return {
    partitions: partitions.length,
    owned: partitions.filter(isOwned).length,
    members: members.length - unreachable,
    unreachable,
    // Each share is rounded up: no more waits than is not read.
    lag: lag === null || !unread ? lag : Math.min(lag, unread.messages),
    oldestMs: oldestOf(partitions) ?? unread?.oldestAgeMs ?? null,
    drainMs: drainMs(lag, sumOf(partitions.map(({ ratePerSecond }) => ratePerSecond ?? 0))),
    lagIsEstimate: partitions.some(isEstimate),
    withoutKey: members.reduce((sum, { stats }) => sum + (stats?.withoutKey ?? 0), 0),
  };
}

/** The age of the oldest waiting message, milliseconds; null: none waits, or not known. */
const oldestOf = (partitions: readonly Pick<Progress, 'oldestMs'>[]): number | null =>
  partitions.reduce<number | null>(
    (most, { oldestMs }) => (oldestMs === null ? most : Math.max(most ?? 0, oldestMs)),
    null,
  );

/** True where the lag of a partition is its share of what its keyed group has not read. */
export const isEstimate = ({ lag, unread }: Pick<Progress, 'lag' | 'unread'>): boolean =>
  unread !== undefined && lag !== 0;

/** The sum of the lags; null if one of them is unknown. */
export function totalLag(partitions: readonly { lag: number | null }[]): number | null {
  return partitions.reduce<number | null>(
    (sum, { lag }) => (sum === null || lag === null ? null : sum + lag),
    0,
  );
}

/** Natural order of names: `b-2` before `b-10`. */
export const compareNames = new Intl.Collator('en', { numeric: true }).compare;

const reports = new WeakMap<MemberStats, ReadonlyMap<number, PartitionStats>>();

/** What a member reports, by partition: it is looked up for each partition of each picture. */
function reportsOf(stats: MemberStats): ReadonlyMap<number, PartitionStats> {
  const known = reports.get(stats) ?? new Map(stats.partitions.map((each) => [each.partition, each]));
  reports.set(stats, known);
  return known;
}

/** The owner's report of a partition under the current epoch; undefined: none. */
export function ownReport(
  entries: GroupEntries,
  members: ReadonlyMap<string, Pick<MemberStatus, 'stats'>>,
  partition: number,
): PartitionStats | undefined {
  const epoch = entries.epochOf(partition);
  const stats = members.get(entries.ownerOf(partition) ?? '')?.stats;
  const own = stats && reportsOf(stats).get(partition);
  return own?.epoch === epoch ? own : undefined;
}

/**
 * The status of a group from its entries, its members by session (see {@link describeMember}) and the progress of each
 * partition.
 */
export function describeGroup(
  entries: GroupEntries,
  members: ReadonlyMap<string, MemberStatus>,
  progress: readonly Progress[],
  nowMs: number,
  uncovered?: Uncovered,
): GroupStatus {
  const partitions = progress.map((known, partition): LeaseStatus => {
    const lease = entries.leases.get(partition);
    const { owner = null, reason = null, from = null } = entries.leaseOf(partition) ?? {};
    const override = entries.overrideOf(partition);
    const reserved = reservationOf(entries, partition, nowMs);
    const state = reserved.reservedFor === null ? stateOf(entries, members, partition) : 'reserved';
    const own = ownReport(entries, members, partition);
    return {
      partition,
      owner: entries.ownerNameOf(partition),
      session: owner,
      epoch: entries.epochOf(partition),
      reason,
      from,
      ...reserved,
      heldMs: owner !== null && lease ? Math.max(0, Math.round(nowMs - lease.atMs)) : null,
      ...known,
      overrideUnreadable: entries.overrides.get(partition)?.record === 'unreadable',
      paused: override?.paused ?? false,
      ...pauseOf(entries.overrides.get(partition), nowMs),
      pin: override?.pin ?? null,
      state,
      holdUp: (own?.state === state && own.holdUp) || null,
    };
  });
  const shares = new Map<string | null, LeaseStatus[]>();
  for (const lease of partitions) {
    const share = shares.get(lease.session);
    if (share) share.push(lease);
    else shares.set(lease.session, [lease]);
  }
  const all = [...members.values()].map((member) => {
    const share = shares.get(member.session) ?? [];
    return {
      ...member,
      partitions: share.map(({ partition }) => partition),
      lag: totalLag(share),
      lagIsEstimate: share.some(isEstimate),
    };
  });
  all.sort((a, b) => compareNames(a.name, b.name) || (a.session < b.session ? -1 : 1));
  return { partitions, members: all, uncovered, resize: resizeOf(entries, partitions, nowMs) };
}

/** Who has paused a partition, and for how long. */
function pauseOf(seen: SeenOverride | undefined, nowMs: number): Pick<LeaseStatus, 'pausedBy' | 'pausedMs'> {
  const override = readable(seen);
  if (!seen || !override?.paused) return { pausedBy: null, pausedMs: null };
  const { by, at } = override.pause ?? override;
  // The server's time of the entry, unless it was changed since.
  const sinceMs = at === override.at ? seen.atMs : Date.parse(at);
  return { pausedBy: by, pausedMs: Math.max(0, Math.round(nowMs - (sinceMs || seen.atMs))) };
}

/** For whom a partition without an owner is kept. The members' clocks decide; this is the clock of the observer. */
function reservationOf(
  entries: GroupEntries,
  partition: number,
  nowMs: number,
): Pick<LeaseStatus, 'reservedFor' | 'reservedMs'> {
  const record = entries.leaseOf(partition);
  const reserved = record?.owner === null ? record.reserved : undefined;
  const leftMs = (entries.leases.get(partition)?.atMs ?? 0) + (reserved?.forMs ?? 0) - nowMs;
  if (!reserved || leftMs <= 0) return { reservedFor: null, reservedMs: null };
  return { reservedFor: reserved.name, reservedMs: Math.round(leftMs) };
}

function resizeOf(
  entries: GroupEntries,
  partitions: readonly LeaseStatus[],
  nowMs: number,
): ResizeStatus | undefined {
  const { atMs = nowMs } = entries.layout ?? {};
  const next = readable(entries.layout)?.next;
  if (!next) return undefined;
  const closed = partitions.filter(({ state }) => state === 'closed').length;
  return { to: next.partitions, by: next.by, forMs: Math.max(0, Math.round(nowMs - atMs)), closed };
}

function stateOf(
  entries: GroupEntries,
  members: ReadonlyMap<string, MemberStatus>,
  partition: number,
): LeaseState {
  if (entries.isUnreadable(partition)) return 'unreadable';
  const owner = entries.ownerOf(partition);
  if (owner === null) return entries.isClosed(partition) ? 'closed' : 'unowned';
  const member = members.get(owner);
  if (!member) return 'orphaned';
  if (member.state === 'unreachable' || member.state === 'expired') return member.state;
  if (member.answer === 'silent') return 'silent';
  const own = ownReport(entries, members, partition);
  if (own) return own.state ?? 'owned';
  // It was asked after it had got the partition, and did not report it.
  if ((member.answeredAtMs ?? 0) > (entries.leases.get(partition)?.atMs ?? 0)) return 'starting';
  return entries.overrideOf(partition)?.paused ? 'paused' : 'owned';
}

/**
 * Reads the status of a group once: sessions, leases, positions, ends of the partitions, lag, and the answers of
 * the members.
 *
 * @param partitions how many the stream has; a keyed group says itself how many it has.
 * @throws the errors of the observer: no permission, no bucket, no answer.
 */
export async function readGroupStatus(observer: GroupObserver, partitions: number): Promise<GroupStatus> {
  const [past, stored] = await Promise.all([observer.entries(), observer.positions()]);
  const entries = new GroupEntries();
  for (const { entry, atMs } of past) if (entry.kind !== 'proof') entries.apply(entry, atMs);
  const layout = readable(entries.layout) ?? undefined;
  const positions = positionsNow(stored, layout, Date.now());
  const members = await readMembers(observer, entries);
  // Read last, so that no position is beyond its end.
  const [ends, stream] = await Promise.all([observer.ends(), observer.stream()]);
  const committed = new Map(positions.map((each) => [each.partition, each]));
  const last = new Map(ends.map((each) => [each.partition, each.sequence]));
  const nowMs = Date.now();
  const count = layout?.partitions ?? partitions;
  const start = committed.size < count ? await observer.start() : null;
  const progress = Array.from({ length: count }, (_, partition) => {
    const own = ownReport(entries, members, partition);
    const end = last.get(partition) ?? null;
    const known = describeProgress(committed.get(partition), own, nowMs);
    return { ...known, partition, end };
  });
  const waiting = progress.map(({ partition, position, end }) => ({
    ...{ partition, end },
    position: position ?? start,
  }));
  // Counted at once: what is stored meanwhile would look like lag.
  const [lags, faults] = await Promise.all([
    readLags(observer, waiting),
    readPositionFaults(observer, positions, stream),
  ]);
  const withLag = progress.map(({ partition, ...known }) => {
    const positionFault = faults.get(partition) ?? null;
    const { lag = null, oldestAtMs = null, unread } = positionFault ? {} : (lags.get(partition) ?? {});
    const oldestMs = oldestAtMs === null ? null : Math.max(0, Math.round(nowMs - oldestAtMs));
    return {
      ...known,
      end: endOf(known.end, known.position, positionFault),
      positionFault,
      lag,
      oldestMs,
      ...(unread !== undefined && { unread }),
    };
  });
  const status = describeGroup(entries, members, withLag, nowMs, stream.uncovered);
  return withUnread(observer, withIdle(status, await readIdle(observer, entries)));
}

/** Partitions of an idle group are without an owner on purpose. */
function withIdle(status: GroupStatus, idle: Idle | undefined): GroupStatus {
  if (!idle) return status;
  const partitions = status.partitions.map((lease) =>
    lease.state === 'unowned' ? { ...lease, state: 'idle' } : lease,
  );
  return { ...status, partitions, idle };
}

/**
 * The end of a partition as it is shown. A position may be beyond its last message, because it follows a shared reader over messages
 * of other partitions.
 */
function endOf(end: number | null, position: number | null, fault: PositionFault | null): number | null {
  return end === null || fault !== null ? end : Math.max(end, position ?? 0);
}

function describeProgress(commit: PositionFacts | undefined, own: PartitionStats | undefined, nowMs: number) {
  const position = commit && !commit.unreadable ? commit.sequence : null;
  return {
    // The owner's answer is newer than its last commit.
    position: own && own.position > 0 ? Math.max(position ?? 0, own.position) : position,
    ratePerSecond: own?.ratePerSecond ?? null,
    positionAgeMs: commit ? Math.max(0, Math.round(nowMs - commit.atMs)) : null,
    // Uncommitted messages of the owner count as well.
    trimmed: Math.max(own?.trimmed ?? 0, commit?.trimmed ?? 0),
  };
}
