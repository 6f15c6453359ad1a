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
    state.lookUps.set(id, state.now + state.timing.retryMs);
    return;
  }
  if (found.kind === 'missing') {
    missing(state, id, found.proof);
    return;
  }
  settled(state, id);
  const { entry } = found;
  const peer = state.peers.get(id);
  if (entry !== null) {
    // Less than what was known: the bucket went back, and this is what can be fenced.
    if (peer && entry.record !== null && entry.revision < peer.revision) peer.revision = entry.revision;
    else applySession(state, entry);
  } else if (peer) bury(state, peer, peer.revision, 'dead');
  else markGone(state, id);
}

/** There is no session, and a proof of life at this revision (0: none). It may still handle for as long as it renews that. */
function missing(state: State, id: string, proof: number): void {
  if (state.peers.get(id)?.proof?.ended) {
    sessionLookedUp(state, id, { kind: 'found', entry: null });
    return;
  }
  if (state.peers.has(id)) {
    settled(state, id);
    return;
  }
  const seen = state.unseen.get(id);
  if (proof > 0 && seen?.revision !== proof) state.unseen.set(id, { revision: proof, since: state.now });
  const isOver = proof === 0 || (seen?.revision === proof && state.now >= seen.since + longestTtl(state));
  state.lookUps.set(id, isOver ? Number.POSITIVE_INFINITY : state.now + state.timing.retryMs);
  if (isOver) state.out.push({ type: 'end-proof', id, expected: proof });
}

/** Handles the answer to `end-proof` about an owner of whom no entry is known: it cannot join any more, or it is there. */
export function unseenEnded(state: State, id: string, outcome: Written): void {
  if (state.lookUps.get(id) !== Number.POSITIVE_INFINITY) return;
  if (outcome.kind !== 'ok') {
    state.lookUps.set(id, state.now + state.timing.retryMs);
    return;
  }
  settled(state, id);
  markGone(state, id);
}

function settled(state: State, id: string): void {
  state.lookUps.delete(id);
  state.unseen.delete(id);
  state.dirty = true;
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
