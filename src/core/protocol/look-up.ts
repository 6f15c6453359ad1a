import { longestTtl } from './begin-anew.js';
import type { EventOf } from './events.js';
import { isDue, markGone, type State } from './state.js';
import { applySession, bury } from './view.js';

/**
 * True if an owner has certainly ended, so that its partitions can be claimed. If the watch never showed its session,
 * the owner may still be alive: a watch of nats-server 2.9 was seen to miss an entry. In case of doubt, this member asks
 * the leader.
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
 * Handles the answer to `look-up-session`. A cut-off leader may not know an existing session, so only a write proves
 * that there is none. The deletion of a session is final.
 */
export function sessionLookedUp(state: State, { id, found }: EventOf<'session-looked-up'>): void {
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
    // If the leader's revision is lower, the bucket may have lost data. It is kept, because a fence must expect the
    // leader's revision.
    if (peer && entry.record !== null && entry.revision < peer.revision) peer.revision = entry.revision;
    else applySession(state, entry);
  } else if (peer) bury(state, peer, peer.revision);
  else markGone(state, id);
}

/**
 * Handles an answer with neither a session nor a deletion marker. The member may still handle messages, until it notices
 * that its session is missing. Once its proof of life has ended, a deletion marker is written. Otherwise members that
 * still know the session would plan with it forever.
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
  // An ended proof is deleted once more, because only a write proves that it does not exist.
  if (isOver) state.out.push({ type: 'end-proof', id, expected: proof });
}

/**
 * Handles the answer to `end-proof` about an owner that the watch never showed. Without its proof of life, the owner can
 * neither renew nor join.
 */
export function unseenEnded(state: State, { id, outcome }: EventOf<'proof-ended'>): void {
  if (state.peers.has(id) || state.lookUps.get(id) !== Number.POSITIVE_INFINITY) return;
  if (outcome.kind === 'ok') state.out.push({ type: 'fence-session', id, expected: 0 });
  else state.lookUps.set(id, state.now + state.timing.retryMs);
}

/**
 * Handles the answer to `fence-session` about an owner that the watch never showed. After a successful write, all
 * members see that the owner has ended. Otherwise the leader is asked again.
 */
export function unseenMarked(state: State, { id, outcome }: EventOf<'session-fenced'>): void {
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

/**
 * Asks the leader about every owner that the watch never showed. This does not depend on this member's plan, because
 * other members may still include the owner in theirs. Also asks about the session under which this member was fenced.
 * Without other members, this member has to end that session itself.
 */
export function lookUpOwners(state: State): void {
  if (state.former !== null && (state.peers.has(state.former) || ensureEnded(state, state.former)))
    state.former = null;
  for (const { record } of state.leases.values())
    if (record !== 'unreadable' && record?.owner) ensureEnded(state, record.owner);
}

export function retryLookUps(state: State): void {
  for (const [id, askAt] of state.lookUps) {
    if (!isDue(state, askAt)) continue;
    state.lookUps.delete(id);
    state.dirty = true;
  }
}
