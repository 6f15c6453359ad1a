import { longestTtl } from './begin-anew.js';
import type { SessionLookedUp, Written } from './events.js';
import { markGone, type State, wake } from './state.js';
import { applySession, bury } from './view.js';

/**
 * True where an owner has certainly ended, so that what it owned is an orphan. That no entry has shown it is no proof:
 * nats-server 2.9 has been seen to pass over one, and each owner had a session. Then it asks the leader.
 */
export function ensureEnded(state: State, owner: string): boolean {
  if (state.gone.has(owner)) return true;
  if (owner === state.session.id || state.peers.has(owner)) return false;
  const askAt = state.lookUps.get(owner) ?? state.now;
  if (state.now >= askAt) {
    state.lookUps.set(owner, Number.POSITIVE_INFINITY);
    state.out.push({ type: 'look-up-session', id: owner });
  }
  return false;
}

/**
 * Handles the answer to `look-up-session`. A leader that is cut off may not know of a session that is there: only a write
 * decides that there is none. What was deleted stays so.
 */
export function sessionLookedUp(state: State, id: string, found: SessionLookedUp): void {
  if (found.kind === 'unknown') {
    if (!state.peers.has(id)) state.lookUps.set(id, state.now + state.timing.retryMs);
    return;
  }
  if (found.kind === 'missing') {
    missing(state, id, found);
    return;
  }
  settled(state, id);
  const { entry } = found;
  const peer = state.peers.get(id);
  if (entry !== null) {
    state.absent.delete(id);
    // Less than what was known: the bucket went back, and this is what can be fenced.
    if (peer && entry.record !== null && entry.revision < peer.revision) peer.revision = entry.revision;
    else applySession(state, entry);
  } else if (peer) bury(state, peer, peer.revision, 'dead');
  else markGone(state, id);
}

/**
 * There is no session, not even a mark of its deletion. Its member may handle until it notices that, as long as it renews its
 * proof of life. Once that has ended a mark is left, or those who still know of the session would count on it for ever.
 */
function missing(state: State, id: string, { proof, ended }: { proof: number; ended: boolean }): void {
  const peer = state.peers.get(id);
  if (peer) {
    settled(state, id);
    state.absent.add(id);
    peer.revision = 0;
    return;
  }
  let seen = state.unseen.get(id);
  if (seen?.revision !== proof) {
    seen = { revision: proof, since: state.now };
    state.unseen.set(id, seen);
  }
  const isOver = state.now >= seen.since + (ended ? state.timing.suspectMs : longestTtl(state));
  state.lookUps.set(id, isOver ? Number.POSITIVE_INFINITY : state.now + state.timing.retryMs);
  if (!isOver) return;
  if (ended) leaveMark(state, id);
  else state.out.push({ type: 'end-proof', id, expected: proof });
}

const leaveMark = (state: State, id: string): void => {
  state.out.push({ type: 'fence-session', id, expected: 0 });
};

/** Handles the answer to `end-proof` about an owner of whom no entry is known: it cannot join any more, or it is there. */
export function unseenEnded(state: State, id: string, outcome: Written): void {
  if (state.peers.has(id) || state.lookUps.get(id) !== Number.POSITIVE_INFINITY) return;
  if (outcome.kind === 'ok') leaveMark(state, id);
  else state.lookUps.set(id, state.now + state.timing.retryMs);
}

/** Handles the answer to `fence-session` about such an owner: all see now that it has ended, or the leader is asked again. */
export function unseenMarked(state: State, id: string, outcome: Written): void {
  if (state.peers.has(id) || state.lookUps.get(id) !== Number.POSITIVE_INFINITY) return;
  if (outcome.kind !== 'ok') {
    state.lookUps.set(id, state.now + state.timing.retryMs);
    return;
  }
  settled(state, id);
  markGone(state, id);
}

function settled(state: State, id: string): void {
  if (state.lookUps.delete(id)) state.dirty = true;
  state.unseen.delete(id);
}

/** Asks for every owner that no entry has shown, whomever the plan gives its partitions: others may still count on it. */
export function lookUpOwners(state: State): void {
  for (const { record } of state.leases.values())
    if (record !== 'unreadable' && record?.owner) ensureEnded(state, record.owner);
}

/** Asks again where no answer has come. */
export function retryLookUps(state: State): void {
  for (const [id, askAt] of state.lookUps) {
    if (state.now < askAt) {
      wake(state, askAt);
      continue;
    }
    state.lookUps.delete(id);
    state.dirty = true;
  }
}
