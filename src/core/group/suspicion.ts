import { compare } from './assign.js';
import type { Written } from './events.js';
import { type Peer, report, type State, wake } from './state.js';
import { MAX_TTL_MS } from './timing.js';
import { bury } from './view.js';

/** How many members of the ring each member looks after. */
const WATCHED = 2;

const nameOf = (peer: Peer): string => (peer.record === 'unreadable' ? peer.id : peer.record.name);
/** What cannot be read may be a newer version's, with any ttl, and its permission may last as long. */
const ttlOf = (peer: Peer): number => (peer.record === 'unreadable' ? MAX_TTL_MS : peer.record.ttlMs);

/** Looks after the other members: by their renewals all of them, by probing the next two in the ring. */
export function lookAfterPeers(state: State): void {
  if (!state.connected || !state.viewReady || state.session.revision === 0) return;
  const { now } = state;
  for (const peer of state.peers.values()) {
    // Counted only while connected: a renewal that we could not see is not a renewal that did not happen.
    const deadAt = Math.max(peer.changedAt, state.connectedAt) + ttlOf(peer);
    if (now >= deadAt) fence(state, peer, 'silent');
    else wake(state, deadAt);
  }
  if (state.probing) probeNext(state);
}

function probeNext(state: State): void {
  const { now, timing } = state;
  if (state.reconnected && now < state.connectedAt + timing.probeHoldMs) {
    wake(state, state.connectedAt + timing.probeHoldMs);
    return;
  }
  for (const peer of watched(state)) {
    if (!peer.probing && now >= peer.probeAt) {
      peer.probing = true;
      peer.probeAt = now + timing.probeEveryMs;
      state.out.push({ type: 'probe', id: peer.id });
    }
    if (!peer.probing) wake(state, peer.probeAt);
    const suspectMs = peer.record === 'unreadable' ? Number.POSITIVE_INFINITY : peer.record.suspectMs;
    if (peer.misses >= timing.probeMisses) {
      if (now >= peer.missingSince + suspectMs) fence(state, peer, 'unreachable');
      else wake(state, peer.missingSince + suspectMs);
    }
  }
}

/** The next members in the ring of all sessions by id. */
function* watched(state: State): Iterable<Peer> {
  const id = state.session.id ?? '';
  const { ring } = state;
  if (ring.length === 0) return;
  let start = ring.findIndex((other) => compare(other, id) > 0);
  if (start < 0) start = 0;
  for (let i = 0; i < Math.min(WATCHED, ring.length); i++) {
    const peer = state.peers.get(ring[(start + i) % ring.length] ?? '');
    if (peer) yield peer;
  }
}

function fence(state: State, peer: Peer, why: 'silent' | 'unreachable'): void {
  if (peer.fencing) return;
  if (state.now < peer.fenceAt) {
    wake(state, peer.fenceAt);
    return;
  }
  peer.fencing = true;
  report(state, { type: 'suspected', id: peer.id, name: nameOf(peer), why });
  state.out.push({ type: 'fence-session', id: peer.id, expected: peer.revision });
}

/** Handles the answer to `fence-session`. */
export function sessionFenced(state: State, id: string, outcome: Written): void {
  const peer = state.peers.get(id);
  if (!peer) return;
  peer.fencing = false;
  if (outcome.kind === 'ok') {
    bury(state, peer, outcome.revision, 'dead');
    return;
  }
  peer.fenceAt = state.now + state.timing.retryMs;
  if (outcome.kind === 'conflict') {
    // It has renewed, somebody else was faster, or its entry was removed without a mark: the leader knows.
    state.out.push({ type: 'look-up-session', id });
    peer.changedAt = state.now;
    peer.misses = 0;
  }
}

/** Handles the answer to `probe`. A timeout proves nothing. */
export function probed(
  state: State,
  id: string,
  outcome: 'alive' | 'no-responders' | 'timeout' | 'denied',
): void {
  if (outcome === 'denied' && state.probing) {
    state.probing = false;
    report(state, { type: 'probing-denied' });
  }
  const peer = state.peers.get(id);
  if (!peer) return;
  peer.probing = false;
  if (outcome !== 'no-responders') {
    peer.misses = 0;
    return;
  }
  if (peer.misses === 0) peer.missingSince = state.now;
  peer.misses++;
}
