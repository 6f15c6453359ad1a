import { holdClaims } from './begin-anew.js';
import type { EventOf } from './events.js';
import { versionIn } from './record-format.js';
import type { LeaseRecord } from './records.js';
import type { State } from './state.js';
import { applyLease, forgetLease } from './view.js';

/**
 * True while a write of this member that would end the epoch is possibly in flight. Nothing is allowed to run under the
 * epoch then.
 */
export function isInDoubt(state: State, partition: number, epoch: number): boolean {
  return state.writes.get(partition)?.expected === epoch;
}

/** Requests a conditional write of a lease, unless a write for the partition is in flight or has to wait. */
export function writeLease(
  state: State,
  partition: number,
  expected: number,
  lease: Omit<LeaseRecord, 'v' | 'at' | 'layout'>,
): void {
  const pending = state.writes.get(partition);
  if (pending && state.now < pending.retryAt) return;
  state.writes.set(partition, { expected, retryAt: Number.POSITIVE_INFINITY });
  const { epoch: layout } = state.layout;
  const v = versionIn(lease.closed ? layout + 1 : layout);
  const record = { v, ...lease, ...(layout > 0 && { layout }) };
  state.out.push({ type: 'write-lease', partition, expected, record });
}

/** Handles the answer to `write-lease`. */
export function leaseWritten(
  state: State,
  { partition, expected, record, outcome }: EventOf<'lease-written'>,
): void {
  const write = state.writes.get(partition);
  // Always plan again: a later write of the same lease may have waited for this answer.
  state.dirty = true;
  if (outcome.kind === 'ok') {
    if (write?.expected === expected) state.writes.delete(partition);
    applyLease(state, { kind: 'lease', partition, revision: outcome.revision, record });
    return;
  }
  if (write?.expected !== expected) return;
  // The watch will show whether this write was applied or another member wrote first. Until then the write can be
  // repeated, because it is conditional.
  write.retryAt = state.now + state.timing.retryMs;
  if (outcome.kind === 'conflict') lookUpLease(state, partition);
  if ((state.leases.get(partition)?.revision ?? 0) > expected) {
    state.writes.delete(partition);
  }
}

/** Reads a lease from the leader of the bucket. */
export function lookUpLease(state: State, partition: number): void {
  const known = state.leases.get(partition)?.revision ?? 0;
  state.out.push({ type: 'look-up-lease', partition, known });
}

/**
 * Handles the answer to `look-up-lease`. A lease is never deleted, and its revision never falls. A revision below
 * `known` has one of two causes: the bucket has lost the lease, or the leader is cut off and has an old entry. In both
 * cases the leader's entry replaces the known one. No watch would deliver the newer entry a second time. So the lease is
 * looked up again until its revision is at least `known`.
 */
export function leaseLookedUp(state: State, { partition, known, entry }: EventOf<'lease-looked-up'>): void {
  if (entry === 'unknown') return;
  if (entry === null || entry.revision < known) {
    // The known lease has changed since the request was sent.
    if (state.leases.get(partition)?.revision !== known) return;
    // The bucket may also have lost leases that this member never saw. Their owners may handle messages until they
    // notice the loss.
    holdClaims(state);
    forgetLease(state, partition);
    if (entry !== null) state.receded.set(partition, Math.max(known, state.receded.get(partition) ?? 0));
  }
  if (entry !== null) applyLease(state, entry);
}

/** Forgets the writes that the plan no longer requires. The caller has just repeated all others. */
export function forgetWrites(state: State): void {
  for (const [partition, { retryAt }] of state.writes)
    if (state.now >= retryAt) state.writes.delete(partition);
}
