import type { PastEntry } from '../ports/facts.js';
import type { LeaseReason } from '../protocol/records.js';

/** A period in which a partition had one owner, or none. */
export interface Tenure {
  epoch: number;
  owner: string | null;
  session: string | null;
  from: string | null;
  reason: LeaseReason | null;
  /** True if the partition was closed for a resize. Later tenures belong to a new partition with the same number. */
  closed: boolean;
  /** Start of the period, on the observer's clock, in ISO 8601. */
  at: string;
  /** Duration of the period, in whole milliseconds, until the next change of owner, or until now. */
  heldMs: number;
  /**
   * The partition had no owner for at most this long before this period, in whole milliseconds. The gap lasts from the last renewal of the
   * previous owner until the claim. It is 0 for a handover, and null if the renewal is no longer stored.
   */
  gapMs: number | null;
}

/** The past and present owners of a partition, oldest first. */
export function readTenures(past: readonly PastEntry[], partition: number, nowMs: number): Tenure[] {
  const leases = past.flatMap(({ atMs, entry }) =>
    entry.kind === 'lease' && entry.partition === partition ? [{ atMs, entry }] : [],
  );
  return leases.map(({ atMs, entry }, i) => {
    const record = entry.record === 'unreadable' ? null : entry.record;
    const before = leases[i - 1];
    const next = leases[i + 1];
    const ownerBefore =
      before && before.entry.record !== 'unreadable' ? (before.entry.record?.owner ?? null) : null;
    return {
      epoch: entry.revision,
      owner: record?.owner ? record.name : null,
      session: record?.owner ?? null,
      from: record?.from ?? null,
      reason: record?.reason ?? null,
      closed: record?.closed !== undefined,
      at: new Date(atMs).toISOString(),
      heldMs: Math.ceil(Math.max(0, (next?.atMs ?? nowMs) - atMs)),
      gapMs: gapBefore(past, atMs, record?.reason, ownerBefore, before?.atMs),
    };
  });
}

/** Session id of the owner in the newest readable revision of a partition's lease; null if there is none. */
export function lastOwner(past: readonly PastEntry[], partition: number): string | null {
  const owners = past.flatMap(({ entry }) =>
    entry.kind === 'lease' && entry.partition === partition && entry.record !== 'unreadable'
      ? [entry.record?.owner ?? null]
      : [],
  );
  return owners.at(-1) ?? null;
}

/**
 * The gap before a period, rounded up. Durations of periods are rounded up, too, so that a gap never appears longer than the period without
 * an owner.
 */
function gapBefore(
  past: readonly PastEntry[],
  atMs: number,
  reason: LeaseReason | undefined,
  ownerBefore: string | null,
  heldSinceMs: number | undefined,
): number | null {
  if (reason === 'handover' || reason === 'release') return 0;
  if (heldSinceMs === undefined) return null;
  // The gap starts when the last owner released the partition.
  if (ownerBefore === null) return Math.ceil(Math.max(0, atMs - heldSinceMs));
  const signs = past.flatMap(({ atMs: signMs, entry }) =>
    entry.kind === 'proof' && entry.id === ownerBefore && !entry.ended && signMs <= atMs ? [signMs] : [],
  );
  // A gap since the previous owner's claim would be far too long.
  if (signs.length === 0) return null;
  return Math.ceil(Math.max(0, atMs - Math.max(heldSinceMs, ...signs)));
}
