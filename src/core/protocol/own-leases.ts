import { lookUpLease, writeLease } from './lease-writes.js';
import { isAlive, type State, wake } from './state.js';

/** So many of the own leases are looked at at a time, so often within the ttl. */
const AT_ONCE = 4;
const LOOKS = 3;

/**
 * Asks the leader for the own session and some of the own leases, in turns, to see that they are still there: an entry that
 * somebody removes from the bucket's stream leaves no mark, and no watch tells of it.
 */
export function lookAtOwnLeases(state: State): void {
  if (!state.connected || !isAlive(state)) return;
  if (state.now < state.lookAt) {
    wake(state, state.lookAt);
    return;
  }
  state.lookAt = state.now + state.timing.ttlMs / LOOKS;
  wake(state, state.lookAt);
  const { session } = state;
  if (session.id !== null) state.out.push({ type: 'read-session', id: session.id, known: session.revision });
  const owned = [...state.own.keys()].sort((a, b) => a - b);
  const next = owned.findIndex((partition) => partition > state.lookedAt);
  for (let i = 0; i < Math.min(AT_ONCE, owned.length); i++) {
    const partition = owned[(Math.max(0, next) + i) % owned.length] ?? 0;
    state.lookedAt = partition;
    lookUpLease(state, partition);
  }
}

/** Claims what was owned here and has lost its lease, whatever the plan says: once all see it again, it counts. */
export function reclaim(state: State): void {
  const { id } = state.session;
  for (const partition of state.reclaim) {
    if (state.leases.has(partition)) state.reclaim.delete(partition);
    else if (id !== null) writeLease(state, partition, 0, id, state.name, 'claim', null);
  }
}
