import type { PastEntry, PositionFacts } from '../ports/facts.js';
import type { GroupObserver } from '../ports/observer.js';
import type { PartitionStats } from '../protocol/member-stats.js';
import type { LeaseReason, LeaseRecord, OverrideRecord } from '../protocol/records.js';
import { type LagInput, readLags } from './lag.js';
import { type MemberStatus, readMembers } from './members.js';
import { type PositionFault, readPositionFaults } from './position-fault.js';

/**
 * What a partition is doing. `unowned`: nobody has it; `orphaned`: its owner has no session any more;
 * `expired`, `unreachable`, `silent`: its owner has not renewed, has no connection, does not answer;
 * `unreadable`: somebody else's entry; `owned`: no more is known; others as the owner says (`running`, `starting`, `draining`, …).
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

/** Who has a partition, and how far it is. */
export interface LeaseStatus {
  partition: number;
  owner: { session: string; name: string; host: string | null; pid: number | null } | null;
  /** The owner's epoch: the revision of the lease; 0 where there never was one. */
  epoch: number;
  /** How it came to its owner, and from whom. */
  reason: LeaseReason | null;
  from: string | null;
  /** Since the last change of hands, milliseconds. */
  heldForMs: number | null;
  /** The last sequence handled; null: the group has not begun here. */
  position: number | null;
  /** The last sequence stored; null: the partition is empty. */
  end: number | null;
  /** Why the position says nothing about what was handled; null: it does, or there is none. Not read behind such a one. */
  positionFault: PositionFault | null;
  /** What an operator wants of it cannot be read: nothing of it counts. */
  overrideUnreadable: boolean;
  /** Messages between the two; null: not known. */
  lag: number | null;
  /** Messages that the stream dropped before they were handled, at most, since the group began here or the last seek. */
  trimmed: number;
  /** Since the position was last committed, milliseconds; null: never. */
  positionAgeMs: number | null;
  /** Somebody wants it to rest: owned, not handled. */
  paused: boolean;
  /** Name or id of the member that somebody wants it to be with. */
  pin: string | null;
  /** Messages a second lately, as the owner says; null: it does not. */
  rate: number | null;
  /** Until its owner is taken for dead unless it renews. */
  expiresInMs: number | null;
  state: LeaseState;
}

/** A group at one moment. */
export interface GroupStatus {
  leases: LeaseStatus[];
  members: MemberStatus[];
}

/** What is asked beside the bucket. */
export interface StatusOptions {
  partitions: number;
  /** How long members have to answer, milliseconds. */
  answerMs: number;
}

/**
 * Looks at a group once: sessions, leases, positions, the ends of the partitions, what waits between, and what
 * the members say.
 *
 * @throws what the observer throws: no permission, no bucket, no answer.
 */
export async function readGroupStatus(observer: GroupObserver, options: StatusOptions): Promise<GroupStatus> {
  const [entries, positions] = await Promise.all([observer.entries(), observer.positions()]);
  const members = await readMembers(observer, entries, options.answerMs);
  // Last, so that no position is beyond its end.
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

/** Every partition's lease, also of those that nobody ever had. */
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
    // What the owner says is newer than what it has committed.
    position: own && own.position > 0 ? Math.max(position ?? 0, own.position) : position,
    end: last.get(partition) ?? null,
    positionFault: faults.get(partition) ?? null,
    overrideUnreadable,
    lag: null,
    // What its owner has not committed yet counts as well.
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
