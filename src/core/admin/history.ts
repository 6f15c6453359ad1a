import type { PastEntry } from '../ports/facts.js';
import type { LeaseReason } from '../protocol/records.js';

/** One time that a partition had an owner, or none. */
export interface Tenure {
  epoch: number;
  owner: string | null;
  session: string | null;
  from: string | null;
  reason: LeaseReason | null;
  /** When it began, on the observer's clock, ISO 8601. */
  at: string;
  /** Until the next change of hands, or until now; whole milliseconds. */
  heldMs: number;
  /**
   * How long at most nobody handled the partition before: from the last sign of life of the owner before until the
   * claim; whole milliseconds. 0 for a handover; null: no sign of life of it is kept any more.
   */
  gapMs: number | null;
}

/** A partition's past owners, oldest first: as far back as the bucket keeps it. */
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
      at: new Date(atMs).toISOString(),
      heldMs: Math.ceil(Math.max(0, (next?.atMs ?? nowMs) - atMs)),
      gapMs: gapBefore(past, atMs, record?.reason, ownerBefore, before?.atMs),
    };
  });
}

/** Rounded upwards: it is how long at most. What was held is, too, so that no gap is longer. */
function gapBefore(
  past: readonly PastEntry[],
  atMs: number,
  reason: LeaseReason | undefined,
  ownerBefore: string | null,
  heldSinceMs: number | undefined,
): number | null {
  if (reason === 'handover' || reason === 'release') return 0;
  if (heldSinceMs === undefined) return null;
  // Nobody had it before the claim: since then.
  if (ownerBefore === null) return Math.ceil(Math.max(0, atMs - heldSinceMs));
  const signs = past.flatMap(({ atMs: signMs, entry }) =>
    entry.kind === 'proof' && entry.id === ownerBefore && !entry.ended && signMs <= atMs ? [signMs] : [],
  );
  // Its claim was one as well; but the whole time that it held the partition is no measure of a gap.
  if (signs.length === 0) return null;
  return Math.ceil(Math.max(0, atMs - Math.max(heldSinceMs, ...signs)));
}
