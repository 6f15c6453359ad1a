import { beginAnew } from './begin-anew.js';
import type { EventOf } from './events.js';
import { random } from './random.js';
import { ended } from './session.js';
import { isAlive, isDue, report, type State, wake } from './state.js';

/**
 * Renews this member's proof of life. Only these renewals extend the permit. Other members fence this member by
 * compare-and-set on this entry. They do so only after the entry has been unchanged for longer than the permit lasts.
 */
export function maintainProof(state: State): void {
  const { session, now } = state;
  const { proof } = session;
  if (session.id === null || proof.writing || proof.reading) return;
  if (now >= proof.renewAt) {
    proof.writing = { since: now, expected: proof.revision };
    proof.renewAt = Number.POSITIVE_INFINITY;
    state.out.push({ type: 'write-proof', id: session.id, expected: proof.revision });
  }
  wake(state, proof.renewAt);
}

/** Stops everything at the deadline. After it, other members can take the partitions. */
export function checkDeadline(state: State, abort: () => void): void {
  const { session } = state;
  if (session.revision === 0 || session.expired) return;
  if (!isDue(state, session.proof.deadline)) return;
  session.expired = true;
  if (!state.leaving) report(state, { type: 'expired' });
  abort();
}

/** True if a renewal that was sent since the last reconnect has been confirmed. */
export const hasRenewed = ({ session, connectedAt }: State): boolean =>
  session.proof.certainAt >= connectedAt;

/** Records a confirmed write of the proof of life, which was sent at `sentAt` or later. */
function certain(state: State, revision: number, sentAt: number): void {
  const { session, timing } = state;
  const { proof } = session;
  const resumed = session.expired;
  const isFirst = !hasRenewed(state);
  proof.revision = revision;
  proof.certainAt = Math.max(proof.certainAt, sentAt);
  proof.deadline = sentAt + timing.ttlMs - timing.marginMs;
  proof.unknownSince = null;
  proof.renewAt = sentAt + timing.renewEveryMs * (0.9 + 0.2 * random(state));
  session.expired = false;
  // Claims had to wait for this renewal.
  if (isFirst && hasRenewed(state)) state.dirty = true;
  if (state.now >= proof.deadline) session.expired = resumed;
  else if (resumed) {
    report(state, { type: 'resumed' });
    state.dirty = true;
  }
}

/** Handles the answer to `write-proof`. */
export function proofWritten(state: State, { sentAt, outcome }: EventOf<'proof-written'>): void {
  const { now, timing, session } = state;
  const { proof } = session;
  proof.writing = null;
  switch (outcome.kind) {
    case 'ok':
      // No earlier write with an unknown outcome was applied. It would have caused a conflict.
      certain(state, outcome.revision, sentAt);
      return;
    case 'unknown':
      proof.unknownSince ??= sentAt;
      proof.renewAt = Math.max(now, sentAt + timing.retryMs);
      return;
    case 'conflict':
      // The server may report a conflict for a write that it has applied (nats-server#7281). So the outcome is unknown.
      proof.unknownSince ??= sentAt;
      proof.reading = true;
      proof.renewAt = now + timing.retryMs;
      if (session.id !== null) state.out.push({ type: 'read-proof', id: session.id });
  }
}

/**
 * Handles the answer to `read-proof` about our own proof. The read does not count as a renewal, because a cut-off leader
 * answers reads too.
 */
export function ownProofRead(state: State, { outcome }: EventOf<'proof-read'>): void {
  const { proof } = state.session;
  proof.reading = false;
  if (outcome.kind === 'unknown') {
    proof.renewAt = state.now + state.timing.retryMs;
    return;
  }
  if (outcome.revision < proof.revision) {
    beginAnew(state);
    return;
  }
  if (outcome.ended || outcome.revision === 0) {
    ended(state, 'proof');
    return;
  }
  // A write was applied, and its answer was lost. It may be any write since `unknownSince`. To be safe, the permit is
  // computed from the first.
  if (outcome.revision > proof.revision && proof.unknownSince !== null)
    certain(state, outcome.revision, proof.unknownSince);
}

/**
 * Sets the time until which handlers may start. Interrupts running handlers after that time. After a reconnect, the
 * bucket may be an older copy, in which other members own our partitions. So handlers may start only after a renewal
 * since the reconnect is confirmed.
 */
export function updatePermit(state: State): void {
  const { session, now, timing } = state;
  const end = session.proof.certainAt + timing.graceMs;
  const isPermitted = state.connected && isAlive(state) && hasRenewed(state) && now < end;
  const until = isPermitted ? end : Number.NEGATIVE_INFINITY;
  if (until !== state.permit) {
    state.permit = until;
    state.out.push({ type: 'permit', until });
  }
  if (now < end) {
    state.interrupted = false;
    if (state.own.size > 0) wake(state, end);
  } else if (!state.interrupted && state.own.size > 0) {
    state.interrupted = true;
    state.out.push({ type: 'interrupt' });
  }
}
