import { compare } from './assign.js';
import type { EventOf } from './events.js';
import { lookUpLayout } from './known-layout.js';
import { lookUpLease, writeLease } from './lease-writes.js';
import { isAlive, isDue, type State, wake } from './state.js';
import { answersFor, applyOverride } from './view.js';

/** This number of entries of each kind is read at a time, this number of times within a ttl. */
const AT_ONCE = 4;
const LOOKS = 3;

/**
 * Asks the leader whether entries still exist. An entry that is removed from the bucket's stream leaves no marker, so no watch shows its
 * removal. Each call asks for this member's session and the group's layout. In rotation, each call also asks for some of the overrides, of
 * the other sessions, of the leases for which this member is responsible, and of the other leases. A member is responsible for the leases
 * that it owns. A member is also responsible for the leases that it handed over, because the next owner may not have seen the handover yet.
 * Other sessions matter because the plan must not include a member that is gone. Other leases matter because the member that is responsible
 * for a lost lease may have died, too.
 */
export function lookAtEntries(state: State): void {
  if (!state.connected || !isAlive(state)) return;
  if (!isDue(state, state.lookAt)) return;
  state.lookAt = state.now + state.timing.ttlMs / LOOKS;
  wake(state, state.lookAt);
  const { session, lookedAt } = state;
  if (session.id !== null) state.out.push({ type: 'read-session', id: session.id, known: session.revision });
  lookUpLayout(state);
  const mine: number[] = [];
  const foreign: number[] = [];
  for (const partition of [...state.leases.keys()].sort(ascending))
    (answersFor(state, partition) || state.receded.has(partition) ? mine : foreign).push(partition);
  for (const [which, partitions] of [
    ['mine', mine],
    ['foreign', foreign],
  ] as const)
    for (const partition of turn(partitions, (each) => each > lookedAt[which])) {
      lookedAt[which] = partition;
      lookUpLease(state, partition);
    }
  const overrides = [...state.overrides.keys()].sort(ascending);
  for (const partition of turn(overrides, (each) => each > lookedAt.override)) {
    lookedAt.override = partition;
    const known = state.overrides.get(partition)?.revision ?? 0;
    state.out.push({ type: 'look-up-override', partition, known });
  }
  const peers = [...state.peers.keys()].sort(compare);
  for (const id of turn(peers, (each) => compare(each, lookedAt.peer) > 0)) {
    lookedAt.peer = id;
    state.out.push({ type: 'look-up-session', id });
  }
}

const ascending = (a: number, b: number): number => a - b;

/**
 * Handles the answer to `look-up-override`. If the leader's revision is lower than `known`, the bucket has lost data, or
 * the leader is cut off. A cut-off leader must not end a pause. So a lower revision is accepted only if it is returned
 * again after a confirmed renewal.
 */
export function overrideLookedUp(
  state: State,
  { partition, known, entry }: EventOf<'override-looked-up'>,
): void {
  if (entry === 'unknown') return;
  // The known override has changed since the request was sent.
  if ((state.overrides.get(partition)?.revision ?? 0) !== known) return;
  if ((entry?.revision ?? 0) >= known) {
    state.doubted.delete(partition);
    // The watch may have missed the entry, or this member may have forgotten it after a cut-off leader's answers.
    if (entry) applyOverride(state, entry);
    return;
  }
  const doubtedAt = state.doubted.get(partition) ?? state.now;
  state.doubted.set(partition, doubtedAt);
  if (state.session.proof.certainAt <= doubtedAt) return;
  state.doubted.delete(partition);
  state.overrides.set(partition, { revision: 0, record: null });
  state.dirty = true;
  if (entry) applyOverride(state, entry);
}

/** The next {@link AT_ONCE} entries in rotation, after the last one that was read. */
function turn<T>(all: readonly T[], isAfter: (each: T) => boolean): T[] {
  const first = Math.max(0, all.findIndex(isAfter));
  return [...all.slice(first), ...all.slice(0, first)].slice(0, AT_ONCE);
}

/**
 * Writes lost leases again for the same owners. The plan is ignored, because other members may still see an older lease. An owner that
 * handles messages under a lost lease stops when it sees the new lease. The lease of an owner that has ended is not written: another member
 * may have claimed the partition since.
 */
export function restoreLeases(state: State): void {
  for (const [partition, { v: _, at: __, layout: ___, ...lease }] of state.lost) {
    const hasEnded = lease.owner !== null && state.gone.has(lease.owner);
    if (hasEnded || state.leases.has(partition)) state.lost.delete(partition);
    else writeLease(state, partition, 0, lease);
  }
}
