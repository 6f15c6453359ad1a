import type { Uncovered } from '../ports/facts.js';
import type { MemberStats, PartitionStats } from '../protocol/member-stats.js';
import { type GroupEntries, readable, type SeenOverride } from './group-entries.js';
import type { GroupStatus, ResizeStatus } from './group-status.js';
import { isEstimate, type LeaseState, type LeaseStatus, type Progress, totalLag } from './lease-status.js';
import { isDead, type MemberStatus } from './members.js';

/** Natural order of names: `b-2` before `b-10`. */
export const compareNames = new Intl.Collator('en', { numeric: true }).compare;

const reports = new WeakMap<MemberStats, ReadonlyMap<number, PartitionStats>>();

/** A member's reports by partition, cached. */
function reportsOf(stats: MemberStats): ReadonlyMap<number, PartitionStats> {
  const known = reports.get(stats) ?? new Map(stats.partitions.map((each) => [each.partition, each]));
  reports.set(stats, known);
  return known;
}

/** The owner's report of a partition under the current epoch; undefined if there is none. */
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

/** Computes the status of a group. `members`: by session, see {@link describeMember}. `progress`: by partition. */
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

/** The operator who paused a partition, and the time since then. */
function pauseOf(seen: SeenOverride | undefined, nowMs: number): Pick<LeaseStatus, 'pausedBy' | 'pausedMs'> {
  const override = readable(seen);
  if (!seen || !override?.paused) return { pausedBy: null, pausedMs: null };
  const { by, at } = override.pause ?? override;
  // The pause began when the entry was stored, unless a later pin has changed the entry.
  const sinceMs = at === override.at ? seen.atMs : Date.parse(at);
  return { pausedBy: by, pausedMs: Math.max(0, Math.round(nowMs - (sinceMs || seen.atMs))) };
}

/** The member for which a partition is kept, and the remaining time. The time is an estimate, because members use their own clocks. */
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
  if (isDead(member) || member.state === 'blocked') return member.state;
  if (member.answer === 'silent') return 'silent';
  const own = ownReport(entries, members, partition);
  if (own) return own.state ?? 'owned';
  // The owner's answer is newer than the lease, but lacks the partition. So the owner has not started it yet.
  if ((member.answeredAtMs ?? 0) > (entries.leases.get(partition)?.atMs ?? 0)) return 'starting';
  return entries.overrideOf(partition)?.paused ? 'paused' : 'owned';
}
