import type { LeaseEntry, Written } from './events.js';
import { type LeaseReason, type LeaseRecord, RECORD_VERSION } from './records.js';
import type { State } from './state.js';
import { applyLease, forgetLease } from './view.js';

/** True while a write of ours may be on its way that ends this epoch: nothing may run under it any more. */
export function isInDoubt(state: State, partition: number, epoch: number): boolean {
  return state.writes.get(partition)?.expected === epoch;
}

/** Orders a conditional write, unless one for this partition is under way or has to wait. */
export function writeLease(
  state: State,
  partition: number,
  expected: number,
  owner: string | null,
  name: string,
  reason: LeaseReason,
  from: string | null,
): void {
  const pending = state.writes.get(partition);
  if (pending && state.now < pending.retryAt) return;
  state.writes.set(partition, { expected, retryAt: Number.POSITIVE_INFINITY });
  state.out.push({
    type: 'write-lease',
    partition,
    expected,
    record: { v: RECORD_VERSION, owner, name, reason, from },
  });
}

/** Handles the answer to `write-lease`. */
export function leaseWritten(
  state: State,
  partition: number,
  expected: number,
  record: LeaseRecord,
  outcome: Written,
): void {
  const write = state.writes.get(partition);
  // Whatever the outcome, the next write may have waited for it, even if the watch was faster to tell.
  state.dirty = true;
  if (outcome.kind === 'ok') {
    if (write?.expected === expected) state.writes.delete(partition);
    applyLease(state, { kind: 'lease', partition, revision: outcome.revision, record });
    return;
  }
  if (write?.expected !== expected) return;
  // Whether it was applied, or somebody else was faster, the watch will tell; until then the same write again
  // is safe, because it is conditional.
  write.retryAt = state.now + state.timing.retryMs;
  if (outcome.kind === 'conflict') lookUpLease(state, partition);
  if ((state.leases.get(partition)?.revision ?? 0) > expected) {
    state.writes.delete(partition);
  }
}

/** Asks the leader for a lease. */
export function lookUpLease(state: State, partition: number): void {
  const known = state.leases.get(partition)?.revision ?? 0;
  state.out.push({ type: 'look-up-lease', partition, known });
}

/**
 * Handles the answer to `look-up-lease`. A lease is never deleted, and its revision never falls: where the leader has
 * less than was known when it was asked, the bucket has lost it, and what the leader has is what counts.
 */
export function leaseLookedUp(
  state: State,
  partition: number,
  known: number,
  entry: LeaseEntry | null | 'unknown',
): void {
  if (entry === 'unknown') return;
  if (entry === null || entry.revision < known) {
    // Something newer was seen meanwhile.
    if (state.leases.get(partition)?.revision !== known) return;
    forgetLease(state, partition);
  }
  if (entry !== null) applyLease(state, entry);
}

/**
 * Forgets the writes that the plan no longer asks for: it has just repeated the others, and those of drained partitions
 * in doubt are always among them.
 */
export function forgetWrites(state: State): void {
  for (const [partition, { retryAt }] of state.writes)
    if (state.now >= retryAt) state.writes.delete(partition);
}
