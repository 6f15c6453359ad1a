import type { PastEntry, PositionFacts } from '../ports/facts.js';
import type { GroupObserver } from '../ports/observer.js';
import type { PartitionStats } from '../protocol/member-stats.js';
import type { LeaseReason, LeaseRecord, OverrideRecord } from '../protocol/records.js';
import { type LagInput, readLags } from './lag.js';
import { type MemberStatus, readMembers } from './members.js';
import { type PositionFault, readPositionFaults } from './position-fault.js';

/**
 * The state of a partition. `unowned`: it has no owner; `orphaned`: its owner has no session any more;
 * `expired`, `unreachable`, `silent`: its owner has not renewed, has no connection, does not answer;
 * `unreadable`: its lease cannot be read; `owned`: nothing more is known; otherwise as its owner reports (`running`, `starting`, `draining`, …).
 */
type LeaseState =
  | 'unowned'
  | 'orphaned'
  | 'expired'
  | 'unreachable'
  | 'silent'
  | 'unreadable'
  | 'owned'
  | 'idle'
  | (string & {});

/** The owner and progress of a partition. */
export interface LeaseStatus {
  partition: number;
  owner: { session: string; name: string; host: string | null; pid: number | null } | null;
  /** The owner's epoch: the revision of the lease; 0 if there never was a lease. */
  epoch: number;
  /** Why the partition moved to its owner, and the previous owner. */
  reason: LeaseReason | null;
  from: string | null;
  /** Time since the last change of owner, milliseconds. */
  heldForMs: number | null;
  /** The last handled sequence; null: the group has no position here. */
  position: number | null;
  /** The last stored sequence; null: the partition is empty. */
  end: number | null;
  /** What is wrong with the position; null if nothing is, or if there is none. Members read nothing after a wrong position. */
  positionFault: PositionFault | null;
  /** The override (pin, pause) cannot be read and is ignored. */
  overrideUnreadable: boolean;
  /** Messages between position and end; null: unknown. */
  lag: number | null;
  /** Upper bound on the messages that the stream dropped before they were handled, since the group started or the last seek. */
  trimmed: number;
  /** Time since the last commit, milliseconds; null: never. */
  positionAgeMs: number | null;
  /** Paused by an operator: owned, but not handled. */
  paused: boolean;
  /** Name or session id of the member to which it is pinned. */
  pin: string | null;
  /** Recent messages per second, as its owner reports; null: not reported. */
  rate: number | null;
  /** Time until its owner counts as dead unless it renews. */
  expiresInMs: number | null;
  state: LeaseState;
}

/** A group at one moment. */
export interface GroupStatus {
  leases: LeaseStatus[];
  members: MemberStatus[];
}

/** Sources beside the bucket. */
export interface StatusOptions {
  partitions: number;
  /** How long members have to answer, milliseconds. */
  answerMs: number;
}

/**
 * Reads the status of a group once: sessions, leases, positions, ends of the partitions, lag, and the answers of
 * the members.
 *
 * @throws the errors of the observer: no permission, no bucket, no answer.
 */
export async function readGroupStatus(observer: GroupObserver, options: StatusOptions): Promise<GroupStatus> {
  const [entries, positions] = await Promise.all([observer.entries(), observer.positions()]);
  const members = await readMembers(observer, entries, options.answerMs);
  // Read last, so that no position is beyond its end.
  const [ends, stream] = await Promise.all([observer.ends(), observer.stream()]);
  const faults = await readPositionFaults(observer, positions, stream);
  const committed = new Map(positions.map((each) => [each.partition, each]));
  const last = new Map(ends.map((each) => [each.partition, each.sequence]));
  const leases = readLeases(entries, options.partitions).map((lease) => {
    const member = lease.record?.owner ? members.get(lease.record.owner) : undefined;
    return describeLease(lease, member, { committed, last, faults });
  });
  const lags = await readLags(observer, leases.map(lagInput));
  for (const lease of leases) {
    lease.lag = lease.positionFault ? null : (lags.get(lease.partition) ?? null);
    if (lease.state === 'running' && lease.lag === 0) lease.state = 'idle';
    const member = lease.owner ? members.get(lease.owner.session) : undefined;
    if (!member) continue;
    member.partitions.push(lease.partition);
    member.lag = member.lag === null || lease.lag === null ? null : member.lag + lease.lag;
  }
  const byName = [...members.values()].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  return { leases, members: byName };
}

const lagInput = ({ partition, position, end }: LeaseStatus): LagInput => ({ partition, position, end });

interface Lease {
  partition: number;
  epoch: number;
  atMs: number | null;
  record: LeaseRecord | null;
  unreadable: boolean;
  override: OverrideRecord | 'unreadable' | null;
}

/** The lease of every partition, including those that never had an owner. */
function readLeases(entries: readonly PastEntry[], partitions: number): Lease[] {
  const leases = Array.from(
    { length: partitions },
    (_, partition): Lease => ({
      partition,
      epoch: 0,
      atMs: null,
      record: null,
      unreadable: false,
      override: null,
    }),
  );
  for (const { atMs, entry } of entries) {
    if (entry.kind === 'session' || entry.kind === 'proof') continue;
    const lease = leases[entry.partition];
    if (!lease) continue;
    if (entry.kind === 'override') {
      lease.override = entry.record;
      continue;
    }
    const unreadable = entry.record === 'unreadable';
    Object.assign(lease, {
      epoch: entry.revision,
      atMs,
      unreadable,
      record: unreadable ? null : entry.record,
    });
  }
  return leases;
}

function describeLease(
  lease: Lease,
  member: MemberStatus | undefined,
  {
    committed,
    last,
    faults,
  }: {
    committed: ReadonlyMap<number, PositionFacts>;
    last: ReadonlyMap<number, number>;
    faults: ReadonlyMap<number, PositionFault>;
  },
): LeaseStatus {
  const { partition, epoch, record, atMs } = lease;
  const overrideUnreadable = lease.override === 'unreadable';
  const override = lease.override === 'unreadable' ? null : lease.override;
  const own = member?.stats?.partitions.find((each) => each.partition === partition && each.epoch === epoch);
  const commit = committed.get(partition);
  const position = commit && !commit.unreadable ? commit.sequence : null;
  return {
    partition,
    owner: record?.owner
      ? { session: record.owner, name: record.name, host: member?.host ?? null, pid: member?.pid ?? null }
      : null,
    epoch,
    reason: record?.reason ?? null,
    from: record?.from ?? null,
    heldForMs: record?.owner && atMs !== null ? Math.max(0, Math.round(Date.now() - atMs)) : null,
    // The owner's answer is newer than its last commit.
    position: own && own.position > 0 ? Math.max(position ?? 0, own.position) : position,
    end: last.get(partition) ?? null,
    positionFault: faults.get(partition) ?? null,
    overrideUnreadable,
    lag: null,
    // Uncommitted messages of the owner count as well.
    trimmed: Math.max(own?.trimmed ?? 0, commit?.trimmed ?? 0),
    positionAgeMs: commit ? Math.max(0, Math.round(Date.now() - commit.atMs)) : null,
    paused: override?.paused ?? false,
    pin: override?.pin ?? null,
    rate: own?.ratePerSecond ?? null,
    expiresInMs: member?.expiresInMs ?? null,
    state: stateOf(lease, member, own),
  };
}

function stateOf(
  lease: Lease,
  member: MemberStatus | undefined,
  own: PartitionStats | undefined,
): LeaseState {
  if (lease.unreadable) return 'unreadable';
  if (!lease.record?.owner) return 'unowned';
  if (!member) return 'orphaned';
  if (member.answer === 'gone') return 'unreachable';
  if (member.expiresInMs < 0) return 'expired';
  if (member.answer === 'silent') return 'silent';
  if (member.answer === 'denied') return 'owned';
  return own?.state ?? 'starting';
}
