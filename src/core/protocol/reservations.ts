import { NatspocError } from '../lib/errors.js';
import type { LeaseRecord, Reservation } from './records.js';
import { isDue, type State } from './state.js';
import { MAX_TTL_MS } from './timing.js';

/*
 * A member that leaves for a restart keeps its partitions: their leases name no owner, and reserve them for its name. Nothing is handled
 * meanwhile, so safety does not depend on how long members wait: each claim of a free lease is a compare-and-set.
 */

/**
 * Checks how long a member wants its partitions to be kept; 0: not at all.
 *
 * @throws NatspocError `usage`
 */
export function checkReservation(ms: number): void {
  if (ms >= 0 && ms <= MAX_TTL_MS) return;
  throw new NatspocError('usage', `rejoinWithinMs: ${ms} is not a time from 0 to ${MAX_TTL_MS} ms.`);
}

/** What a leaving member writes into leases without a next owner; undefined if the member does not come back. */
export const reservation = ({ name, rejoinWithinMs }: State): Reservation | undefined =>
  rejoinWithinMs > 0 ? { name, forMs: rejoinWithinMs } : undefined;

/** A lease was seen for the first time: if it reserves the partition, this member's clock counts from now. */
export function noticeReservation(
  state: State,
  partition: number,
  record: LeaseRecord | 'unreadable' | null,
): void {
  const reserved = record === 'unreadable' || record?.owner ? undefined : record?.reserved;
  if (reserved) state.reserved.set(partition, state.now + reserved.forMs);
  else state.reserved.delete(partition);
}

/** Frees the partitions whose member did not come back in time. */
export function endReservations(state: State): void {
  for (const [partition, until] of state.reserved) {
    if (!isDue(state, until)) continue;
    state.reserved.delete(partition);
    state.dirty = true;
  }
}
