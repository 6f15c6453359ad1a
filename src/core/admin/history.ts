import type { PastEntry } from '../ports/facts.js';
import type { LeaseReason } from '../protocol/records.js';

/** A period in which a partition had one owner, or none. */
export interface Tenure {
  epoch: number;
  owner: string | null;
  session: string | null;
  from: string | null;
  reason: LeaseReason | null;
  /** True if the partition was closed for a resize. A later partition with the same number is a different partition. */
  closed: boolean;
  /** Start of the period, on the observer's clock, in ISO 8601. */
  at: string;
  /** Duration of the period, in whole milliseconds. The period ends at the next change of owner, or else now. */
  heldMs: number;
  /**
   * Upper bound on how long the partition had no owner before this period began, in whole milliseconds. The time is
   * measured from the last renewal of the previous owner until the claim. The gap is 0 for a handover, and null if the
   * renewal is no longer stored.
   */
  gapMs: number | null;
}

/** The past and present owners of a partition, oldest first, as far as the bucket still stores them. */
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

/** Session id of the owner in the newest readable revision of a partition's lease; null if there is no such owner. */
export function lastOwner(past: readonly PastEntry[], partition: number): string | null {
  const owners = past.flatMap(({ entry }) =>
    entry.kind === 'lease' && entry.partition === partition && entry.record !== 'unreadable'
      ? [entry.record?.owner ?? null]
      : [],
  );
  return owners.at(-1) ?? null;
}

/**
 * The gap before a period, rounded up, because the gap is an upper bound. The durations of periods are rounded up as well,
 * so that a gap never appears longer than the period without an owner.
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
  // The partition had no owner before the claim, so the gap starts when the last owner gave the partition up.
  if (ownerBefore === null) return Math.ceil(Math.max(0, atMs - heldSinceMs));
  const signs = past.flatMap(({ atMs: signMs, entry }) =>
    entry.kind === 'proof' && entry.id === ownerBefore && !entry.ended && signMs <= atMs ? [signMs] : [],
  );
  // The previous owner's claim was a sign of life too, but a gap counted from that claim would be far too long.
  if (signs.length === 0) return null;
  return Math.ceil(Math.max(0, atMs - Math.max(heldSinceMs, ...signs)));
}
