import { abortAll, report, resetSession, type State } from './state.js';
import { MAX_TTL_MS } from './timing.js';

/**
 * An entry that is absent proves nothing about the member that it stood for: it may handle until it notices, at the latest
 * for its ttl. Nothing is claimed before that.
 */
function holdClaims(state: State): void {
  state.holdUntil = Math.max(state.holdUntil, state.now + longestTtl(state));
}

/** The longest ttl of a member that is known, milliseconds. */
export function longestTtl(state: State): number {
  let longestMs = state.timing.ttlMs;
  for (const { record } of state.peers.values())
    longestMs = Math.max(longestMs, record === 'unreadable' ? MAX_TTL_MS : record.ttlMs);
  return longestMs;
}

/**
 * The bucket is not the one that we knew: purged, restored from an older copy, or made anew. Everything known of it is
 * dropped. As after a crash, this member comes back under another identity, and sees what is there.
 */
export function beginAnew(state: State): void {
  const owned = [...state.own.keys()];
  const { id, proof } = state.session;
  // Whatever is left of us must not look like a member that lives.
  if (id !== null) state.out.push({ type: 'end-proof', id, expected: proof.revision });
  report(state, { type: 'went-back' });
  holdClaims(state);
  abortAll(state, 'went-back');
  resetSession(state);
  for (const known of [
    state.peers,
    state.leases,
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
  state.watchRevision = 0;
  state.viewReady = false;
  state.out.push({ type: 'begin-anew', owned });
}
