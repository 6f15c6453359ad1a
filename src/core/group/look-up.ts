import type { SessionEntry } from './events.js';
import { markGone, type State, wake } from './state.js';
import { applySession, bury } from './view.js';

/**
 * True where an owner has certainly ended, so that what it owned is an orphan. That no entry has shown it is no proof:
 * nats-server 2.9 has been seen to pass over one, and whoever owns something had a session. Then the leader is asked.
 */
export function hasEnded(state: State, owner: string): boolean {
  if (state.gone.has(owner)) return true;
  if (owner === state.session.id || state.peers.has(owner)) return false;
  const askAt = state.lookUps.get(owner) ?? state.now;
  if (state.now >= askAt) {
    state.lookUps.set(owner, Number.POSITIVE_INFINITY);
    state.out.push({ type: 'look-up-session', id: owner });
  }
  return false;
}

/** Handles the answer to `look-up-session`. */
export function sessionLookedUp(state: State, id: string, entry: SessionEntry | null | 'unknown'): void {
  if (entry === 'unknown') {
    state.lookUps.set(id, state.now + state.timing.retryMs);
    return;
  }
  state.lookUps.delete(id);
  state.dirty = true;
  const peer = state.peers.get(id);
  if (entry !== null) {
    // Less than what was known: the bucket went back, and this is what can be fenced.
    if (peer && entry.record !== null && entry.revision < peer.revision) peer.revision = entry.revision;
    else applySession(state, entry);
  } else if (peer) bury(state, peer, peer.revision, 'dead');
  else markGone(state, id);
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
