import { NatspocError } from '../lib/errors.js';
import type { LeaseRecord, Reservation } from './records.js';
import { isDue, type State } from './state.js';
import { MAX_TTL_MS } from './timing.js';

/*
 * When a member leaves for a restart, its partitions are kept for it. Their leases then have no owner, but name this member in a
 * reservation. Meanwhile, no message of these partitions is handled. Safety does not depend on the reservation, because each claim is a
 * compare-and-set.
 */

/**
 * Checks `rejoinWithinMs`. 0 means that there is no reservation.
 *
 * @throws NatspocError `usage`
 */
export function checkReservation(ms: number): void {
  if (ms >= 0 && ms <= MAX_TTL_MS) return;
  throw new NatspocError('usage', `rejoinWithinMs: ${ms} is not a time from 0 to ${MAX_TTL_MS} ms.`);
}

/** The reservation that a leaving member writes; undefined if the member will not return. */
export const reservation = ({ name, rejoinWithinMs }: State): Reservation | undefined =>
  rejoinWithinMs > 0 ? { name, forMs: rejoinWithinMs } : undefined;

/** Notes when the reservation of a lease ends. The time counts from now, on this member's clock. */
export function noticeReservation(
  state: State,
  partition: number,
  record: LeaseRecord | 'unreadable' | null,
): void {
  const reserved = record === 'unreadable' || record?.owner ? undefined : record?.reserved;
  if (reserved) state.reserved.set(partition, state.now + reserved.forMs);
  else state.reserved.delete(partition);
}

/** Frees the partitions whose member did not return in time. */
export function endReservations(state: State): void {
  for (const [partition, until] of state.reserved) {
    if (!isDue(state, until)) continue;
    state.reserved.delete(partition);
    state.dirty = true;
  }
}
