import { compare } from './assign.js';
import type { EventOf } from './events.js';
import { isDue, type Peer, report, type State } from './state.js';
import { MAX_TTL_MS } from './timing.js';
import { bury } from './view.js';

/** Each member observes the next members in the ring, until it has found this number of healthy ones. */
const WATCHED = 2;
/** Number of reads of a proof of life within its member's ttl. */
const LOOKS = 3;

const nameOf = (peer: Peer): string => (peer.record === 'unreadable' ? peer.id : peer.record.name);
/** The ttl of a peer. For an unreadable session, the longest permitted ttl. */
const ttlOf = (peer: Peer): number => (peer.record === 'unreadable' ? MAX_TTL_MS : peer.record.ttlMs);
/** After a peer's proof of life has ended, its handlers may need this time to stop. */
const suspectOf = (peer: Peer): number =>
  peer.record === 'unreadable' ? MAX_TTL_MS : Math.min(peer.record.suspectMs, peer.record.ttlMs);

/**
 * Observes the next two healthy members in the ring, by probes and by reads of their proofs of life. Doubtful members
 * before and between these two are observed as well. So neighbors that die together are detected together.
 *
 * If an observed member has been silent for half of its ttl, all members are observed. Otherwise many members that died
 * together could be detected only two at a time.
 */
export function lookAfterPeers(state: State): void {
  if (!state.connected || !state.viewReady || state.session.revision === 0) return;
  let well = 0;
  let watched = WATCHED;
  for (const peer of ringOf(state)) {
    lookAfter(state, peer);
    if (isSilent(state, peer)) watched = Number.POSITIVE_INFINITY;
    if (!isDoubtful(state, peer)) well++;
    if (well >= watched) break;
  }
  // The session of an absent member is missing. Other members may leave it out of their rings, so that no neighbor
  // observes it.
  for (const id of state.absent) {
    const peer = state.peers.get(id);
    if (peer) lookAfter(state, peer);
  }
}

function lookAfter(state: State, peer: Peer): void {
  probe(state, peer);
  look(state, peer);
  judge(state, peer);
}

/** The other members by id, starting with the next member in the ring. */
function ringOf(state: State): readonly Peer[] {
  if (state.ring) return state.ring;
  const id = state.session.id ?? '';
  const peers = [...state.peers.values()].sort((a, b) => compare(a.id, b.id));
  const next = peers.findIndex((peer) => compare(peer.id, id) > 0);
  state.ring = next > 0 ? [...peers.slice(next), ...peers.slice(0, next)] : peers;
  return state.ring;
}

function isDoubtful(state: State, peer: Peer): boolean {
  return peer.unanswered || peer.fencing || peer.proof?.ended === true || isSilent(state, peer);
}

/** True if a peer has not renewed its proof of life for half of its ttl. */
function isSilent({ now }: State, peer: Peer): boolean {
  const { proof } = peer;
  return proof !== null && !proof.ended && now - proof.since > ttlOf(peer) / 2;
}

function probe(state: State, peer: Peer): void {
  const { now, timing } = state;
  if (!state.probing || peer.probing) return;
  const heldUntil = state.reconnected ? state.connectedAt + timing.probeHoldMs : now;
  const at = Math.max(peer.probeAt, heldUntil);
  if (!isDue(state, at)) return;
  peer.probing = true;
  peer.probeAt = now + timing.probeEveryMs;
  state.out.push({ type: 'probe', id: peer.id });
}

function look(state: State, peer: Peer): void {
  if (peer.looking) return;
  if (!isDue(state, peer.lookAt)) return;
  peer.looking = true;
  peer.lookAt = state.now + ttlOf(peer) / LOOKS;
  state.out.push({ type: 'read-proof', id: peer.id });
}

/**
 * Fences a member whose proof of life has been unchanged for so long that it can no longer start handlers. Two reads,
 * far enough apart, must return the same revision. The deletions of the proof and the session are conditional. So a
 * renewal that arrives first wins.
 */
function judge(state: State, peer: Peer): void {
  const { now } = state;
  const { proof } = peer;
  if (!proof || peer.fencing) return;
  const unreachableAt = unreachableFrom(state, peer, proof.since);
  const deadAt = proof.ended
    ? proof.since + suspectOf(peer)
    : Math.min(unreachableAt, proof.since + ttlOf(peer));
  const at = Math.max(peer.fenceAt, deadAt);
  if (!isDue(state, at)) return;
  if (!proof.ended) {
    if (proof.seenAt < at) {
      if (!peer.looking) {
        peer.lookAt = now;
        look(state, peer);
      }
      return;
    }
    reportOnce(state, peer, proof.revision, now >= unreachableAt ? 'unreachable' : 'silent');
  }
  // The proof is deleted even if the read said that it no longer exists. The bucket may have been restored since, and then
  // the proof exists again.
  peer.fencing = true;
  state.out.push({ type: 'end-proof', id: peer.id, expected: proof.revision });
}

/** Reports a suspicion. The bucket may refuse the fence again and again, so retries are not reported. */
function reportOnce(state: State, peer: Peer, revision: number, why: 'silent' | 'unreachable'): void {
  if (peer.suspectedAt === revision) return;
  peer.suspectedAt = revision;
  report(state, { type: 'suspected', id: peer.id, name: nameOf(peer), why });
}

/**
 * From this time on, a peer counts as unreachable, if its proof of life stays unchanged. Infinity if the peer's record
 * is unreadable, or if too few probes have failed. `since`: when this revision of the proof was first read.
 */
function unreachableFrom({ timing }: State, { record, misses, missingSince }: Peer, since: number): number {
  if (record === 'unreadable' || misses < timing.probeMisses) return Number.POSITIVE_INFINITY;
  return Math.max(missingSince, since) + record.suspectMs;
}

function fenceSession(state: State, peer: Peer): void {
  peer.fencing = true;
  state.out.push({ type: 'fence-session', id: peer.id, expected: peer.revision });
}

/** Handles the answer to `read-proof` about a peer. */
export function peerProofRead(state: State, { id, outcome }: EventOf<'proof-read'>): void {
  const peer = state.peers.get(id);
  if (!peer) return;
  peer.looking = false;
  if (outcome.kind === 'unknown') {
    peer.lookAt = state.now + state.timing.retryMs;
    return;
  }
  const { revision, ended } = outcome;
  const { proof } = peer;
  if (proof?.revision === revision && proof.ended === ended) proof.seenAt = state.now;
  else peer.proof = { revision, ended, since: state.now, seenAt: state.now };
}

/** Handles the answer to `end-proof`. */
export function proofEnded(state: State, { id, outcome }: EventOf<'proof-ended'>): void {
  const peer = state.peers.get(id);
  if (!peer) return;
  peer.fencing = false;
  peer.fenceAt = state.now + state.timing.retryMs;
  if (outcome.kind === 'ok') {
    const since = Number.NEGATIVE_INFINITY;
    // No further delay: the proof was unchanged for long enough.
    peer.proof = { revision: outcome.revision, ended: true, since, seenAt: state.now };
    fenceSession(state, peer);
  } else if (outcome.kind === 'conflict') {
    // The peer has renewed its proof, or another member has deleted it first.
    peer.proof = null;
    peer.lookAt = state.now;
    peer.misses = 0;
  }
}

/** Handles the answer to `fence-session`. */
export function sessionFenced(state: State, { id, outcome }: EventOf<'session-fenced'>): void {
  const peer = state.peers.get(id);
  if (!peer) return;
  peer.fencing = false;
  if (outcome.kind === 'ok') {
    bury(state, peer, outcome.revision);
    return;
  }
  // After a conflict, only the leader knows what happened. The session may be marked as leaving, deleted, or removed
  // without a deletion marker.
  peer.fenceAt = state.now + state.timing.retryMs;
  if (outcome.kind === 'conflict') state.out.push({ type: 'look-up-session', id });
}

/** Handles the answer to `probe`. A timeout does not show whether the member is dead. */
export function probed(state: State, { id, outcome }: EventOf<'probed'>): void {
  if (outcome === 'denied' && state.probing) {
    state.probing = false;
    report(state, { type: 'probing-denied' });
  }
  const peer = state.peers.get(id);
  if (!peer) return;
  peer.probing = false;
  const wasUnanswered = peer.unanswered;
  peer.unanswered = outcome === 'no-responders' || outcome === 'timeout';
  if (peer.unanswered && !wasUnanswered) peer.lookAt = state.now;
  if (outcome !== 'no-responders') {
    peer.misses = 0;
    return;
  }
  if (peer.misses === 0) peer.missingSince = state.now;
  peer.misses++;
}

/** Starts the observation of all peers again after a break in the connection. */
export function forgetCounts(state: State): void {
  for (const peer of state.peers.values()) {
    peer.misses = 0;
    peer.unanswered = false;
    peer.probing = false;
    peer.proof = null;
    peer.looking = false;
    peer.lookAt = state.now;
  }
}
