import { resetSession } from './initial-state.js';
import { abortAll, report, type State } from './state.js';
import { MAX_TTL_MS } from './timing.js';

/**
 * Makes this member claim nothing for the longest known ttl. It is called if entries of the bucket are missing. A
 * missing entry's member can still be alive. It can handle messages until it notices the loss, but at most for its ttl.
 */
export function holdClaims(state: State): void {
  state.holdUntil = Math.max(state.holdUntil, state.now + longestTtl(state));
}

/** The longest known ttl of a member, in milliseconds. */
export function longestTtl(state: State): number {
  let longestMs = state.timing.ttlMs;
  for (const { record } of state.peers.values())
    longestMs = Math.max(longestMs, record === 'unreadable' ? MAX_TTL_MS : record.ttlMs);
  return longestMs;
}

/**
 * Begins again after the bucket has lost data: it was purged, restored from an older copy, or recreated. This member
 * forgets everything about the bucket. As after a crash, it joins again under another identity and reads the remaining
 * entries.
 */
export function beginAnew(state: State): void {
  const owned = [...state.own.keys()];
  const { id, proof } = state.session;
  // Otherwise the old session would still appear alive.
  if (id !== null) {
    state.out.push({ type: 'end-proof', id, expected: proof.revision });
    state.gaveUp = id;
  }
  report(state, { type: 'went-back' });
  holdClaims(state);
  abortAll(state, 'went-back');
  resetSession(state);
  for (const known of [
    state.peers,
    state.leases,
    state.reserved,
    state.receded,
    state.doubted,
    state.overrides,
    state.buried,
    state.lookUps,
    state.unseen,
    state.writes,
  ])
    known.clear();
  state.gone.clear();
  state.absent.clear();
  state.lost.clear();
  state.ring = null;
  state.former = null;
  state.watchRevision = 0;
  state.layout.revision = 0;
  state.viewReady = false;
  state.out.push({ type: 'begin-anew', owned });
}
