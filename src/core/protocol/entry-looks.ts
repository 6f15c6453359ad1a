import { compare } from './assign.js';
import { lookUpLease, writeLease } from './lease-writes.js';
import { isAlive, type State, wake } from './state.js';
import { answersFor } from './view.js';

/** So many entries of a kind are looked at at a time, so often within the ttl. */
const AT_ONCE = 4;
const LOOKS = 3;

/**
 * Asks the leader for the own session, some of the leases that this member answers for, and some of the others' sessions, in
 * turns, to see that they are still there: an entry that is removed from the bucket's stream leaves no mark, and no watch
 * tells of it. A member answers for the leases that it owns, and for those that it gave away: the next owner may never have
 * seen what it was given. A member of whom nothing is left has to be missed by those who plan with it.
 */
export function lookAtEntries(state: State): void {
  if (!state.connected || !isAlive(state)) return;
  if (state.now < state.lookAt) {
    wake(state, state.lookAt);
    return;
  }
  state.lookAt = state.now + state.timing.ttlMs / LOOKS;
  wake(state, state.lookAt);
  const { session, lookedAt } = state;
  if (session.id !== null) state.out.push({ type: 'read-session', id: session.id, known: session.revision });
  const partitions = [...state.leases.keys()].filter((partition) => answersFor(state, partition));
  partitions.sort((a, b) => a - b);
  for (const partition of turn(partitions, (each) => each > lookedAt.partition)) {
    lookedAt.partition = partition;
    lookUpLease(state, partition);
  }
  const peers = [...state.peers.keys()].sort(compare);
  for (const id of turn(peers, (each) => compare(each, lookedAt.peer) > 0)) {
    lookedAt.peer = id;
    state.out.push({ type: 'look-up-session', id });
  }
}

/** Those whose turn it is, from the first one that comes after the last. */
function turn<T>(all: readonly T[], isAfter: (each: T) => boolean): T[] {
  const first = Math.max(0, all.findIndex(isAfter));
  return [...all.slice(first), ...all.slice(0, first)].slice(0, AT_ONCE);
}

/**
 * Writes lost leases again, for the same owners, whatever the plan says: others may still see an older one. An owner that
 * handles under the one that was lost stops when it sees the new one.
 */
export function restoreLeases(state: State): void {
  for (const [partition, { owner, name, reason, from }] of state.lost) {
    if (state.leases.has(partition)) state.lost.delete(partition);
    else writeLease(state, partition, 0, owner, name, reason, from);
  }
}
