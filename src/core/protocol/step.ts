import { beginAnew } from './begin-anew.js';
import { lookAtEntries } from './entry-looks.js';
import type { Effect, GroupEvent } from './events.js';
import {
  forgetCounts,
  lookAfterPeers,
  peerProofRead,
  probed,
  proofEnded,
  sessionFenced,
} from './failure-detector.js';
import { leaseLookedUp, leaseWritten } from './lease-writes.js';
import { sessionLookedUp, unseenEnded, unseenMarked } from './look-up.js';
import {
  partitionDrained,
  partitionFailed,
  partitionHalted,
  partitionStarted,
  release,
} from './own-partitions.js';
import { ownProofRead, proofWritten, updatePermit } from './proof.js';
import { reconcile } from './reconcile.js';
import { maintainSession, sessionRead, sessionRemoved, sessionWritten } from './session.js';
import type { State } from './state.js';
import { applyEntries, applySnapshot } from './view.js';

/**
 * The protocol: one event in, effects out. Deterministic, without time, input or output of its own.
 *
 * It changes the state in place: a group of thousands of partitions would spend its time copying. Nothing else may
 * change it.
 *
 * Effects are ordered; `wake-at` names the latest time for the next `tick`.
 */
export function step(state: State, event: GroupEvent): Effect[] {
  state.now = event.now;
  state.out.length = 0;
  if (!state.left) {
    apply(state, event);
    state.wakeAt = Number.POSITIVE_INFINITY;
    maintainSession(state);
    lookAfterPeers(state);
    reconcile(state);
    lookAtEntries(state);
    // Giving the last partition away is what allows a leaver to go.
    if (state.leaving) maintainSession(state);
    updatePermit(state);
    if (!state.left && state.wakeAt < Number.POSITIVE_INFINITY)
      state.out.push({ type: 'wake-at', at: state.wakeAt });
  }
  return [...state.out];
}

function apply(state: State, event: GroupEvent): void {
  switch (event.type) {
    case 'tick':
      return;
    case 'connected':
      connected(state);
      return;
    case 'disconnected':
      state.connected = false;
      return;
    case 'identified':
      state.identifying = false;
      if (state.session.id === null) {
        state.session.id = event.id;
        state.ring = null;
      }
      return;
    case 'snapshot':
      applySnapshot(state, event.entries);
      return;
    case 'changes':
      applyEntries(state, event.entries);
      return;
    case 'session-written':
      if (event.id === state.session.id) sessionWritten(state, event.outcome);
      return;
    case 'session-removed':
      if (event.id === state.session.id) sessionRemoved(state, event.outcome);
      return;
    case 'session-read':
      if (event.id === state.session.id) sessionRead(state, event.outcome);
      return;
    case 'proof-written':
      if (event.id === state.session.id) proofWritten(state, event.sentAt, event.outcome);
      return;
    case 'proof-read':
      if (event.id === state.session.id) ownProofRead(state, event.outcome);
      else peerProofRead(state, event.id, event.outcome);
      return;
    case 'proof-ended':
      proofEnded(state, event.id, event.outcome);
      unseenEnded(state, event.id, event.outcome);
      return;
    case 'session-fenced':
      sessionFenced(state, event.id, event.outcome);
      unseenMarked(state, event.id, event.outcome);
      return;
    case 'session-looked-up':
      sessionLookedUp(state, event.id, event.found);
      return;
    case 'lease-written':
      leaseWritten(state, event.partition, event.expected, event.record, event.outcome);
      return;
    case 'lease-looked-up':
      leaseLookedUp(state, event.partition, event.known, event.entry);
      return;
    case 'went-back':
      beginAnew(state);
      return;
    case 'probed':
      probed(state, event.id, event.outcome);
      return;
    case 'partition-started':
      partitionStarted(state, event.partition, event.epoch);
      return;
    case 'partition-drained':
      partitionDrained(state, event.partition, event.epoch);
      return;
    case 'partition-failed':
      partitionFailed(state, event.partition, event.epoch, event.message);
      return;
    case 'partition-halted':
      partitionHalted(state, event.partition, event.epoch, event.message);
      return;
    case 'release':
      release(state, event.partition, event.to);
      return;
    case 'leave':
      if (!state.leaving) {
        state.leaving = true;
        state.dirty = true;
      }
  }
}

/** Everything that was counted before a break starts again: what happened meanwhile, nobody saw. */
function connected(state: State): void {
  state.reconnected = state.connectedAt !== Number.NEGATIVE_INFINITY;
  state.connected = true;
  state.connectedAt = state.now;
  state.dirty = true;
  forgetCounts(state);
  // Renew first: if nobody has fenced us, we go on with the leases that we have.
  const { proof } = state.session;
  if (proof.revision > 0 && !proof.writing) proof.renewAt = state.now;
}
