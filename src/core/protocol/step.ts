import { beginAnew } from './begin-anew.js';
import { lookAtEntries, overrideLookedUp } from './entry-looks.js';
import type { Effect, EventOf, GroupEvent } from './events.js';
import {
  forgetCounts,
  lookAfterPeers,
  peerProofRead,
  probed,
  proofEnded,
  sessionFenced,
} from './failure-detector.js';
import { layoutLookedUp } from './known-layout.js';
import { leaseLookedUp, leaseWritten } from './lease-writes.js';
import { sessionLookedUp, unseenEnded, unseenMarked } from './look-up.js';
import {
  partitionDrained,
  partitionFailed,
  partitionHalted,
  partitionStarted,
  release,
  retry,
} from './own-partitions.js';
import { ownProofRead, proofWritten, updatePermit } from './proof.js';
import { reconcile } from './reconcile.js';
import { layoutWritten, positionSettled } from './resize.js';
import { maintainSession, sessionRead, sessionRemoved, sessionWritten } from './session.js';
import type { State } from './state.js';
import { applyEntries, applySnapshot } from './view.js';

/**
 * The protocol: takes one event, and returns its effects. It reads no clock and does no I/O.
 *
 * It changes the state in place, because copying thousands of partitions would be slow. No other code may change the state.
 *
 * The effects must be executed in order. The effect `wake-at` states the latest time for the next `tick`.
 */
export function step(state: State, event: GroupEvent): Effect[] {
  state.now = event.now;
  state.out.length = 0;
  if (!state.left) {
    (HANDLERS[event.type] as Handler<GroupEvent>)(state, event);
    state.wakeAt = Number.POSITIVE_INFINITY;
    maintainSession(state);
    lookAfterPeers(state);
    reconcile(state);
    lookAtEntries(state);
    // A leaving member removes its session as soon as its last partition is handed over.
    if (state.leaving) maintainSession(state);
    updatePermit(state);
    if (!state.left && state.wakeAt < Number.POSITIVE_INFINITY)
      state.out.push({ type: 'wake-at', at: state.wakeAt });
  }
  return [...state.out];
}

type Handler<Event> = (state: State, event: Event) => void;

/** Wraps a handler: answers to requests of an earlier session are ignored. */
const ofSession =
  <Event extends { id: string }>(handle: Handler<Event>): Handler<Event> =>
  (state, event) => {
    if (event.id === state.session.id) handle(state, event);
  };

const HANDLERS: { [T in GroupEvent['type']]: Handler<EventOf<T>> } = {
  tick: () => {},
  connected,
  disconnected: (state) => {
    state.connected = false;
  },
  identified: (state, { id }) => {
    state.identifying = false;
    if (state.session.id !== null) return;
    state.session.id = id;
    state.ring = null;
  },
  snapshot: (state, { entries }) => applySnapshot(state, entries),
  changes: (state, { entries }) => applyEntries(state, entries),
  'session-written': ofSession(sessionWritten),
  'session-removed': ofSession(sessionRemoved),
  'session-read': ofSession(sessionRead),
  'proof-written': ofSession(proofWritten),
  'proof-read': (state, event) => {
    if (event.id === state.session.id) ownProofRead(state, event);
    else peerProofRead(state, event);
  },
  'proof-ended': (state, event) => {
    proofEnded(state, event);
    unseenEnded(state, event);
  },
  'session-fenced': (state, event) => {
    sessionFenced(state, event);
    unseenMarked(state, event);
  },
  'session-looked-up': sessionLookedUp,
  'lease-written': leaseWritten,
  'lease-looked-up': leaseLookedUp,
  'override-looked-up': overrideLookedUp,
  'position-settled': positionSettled,
  'layout-written': layoutWritten,
  'layout-looked-up': layoutLookedUp,
  'went-back': beginAnew,
  probed,
  'partition-started': partitionStarted,
  'partition-drained': partitionDrained,
  'partition-failed': partitionFailed,
  'partition-halted': partitionHalted,
  release,
  retry,
  leave: (state, { rejoinWithinMs = 0 }) => {
    if (state.leaving) return;
    state.rejoinWithinMs = rejoinWithinMs;
    state.leaving = true;
    state.dirty = true;
  },
};

/** The observation of peers starts again, because nothing was observed during the break. */
function connected(state: State): void {
  state.reconnected = state.connectedAt !== Number.NEGATIVE_INFINITY;
  state.connected = true;
  state.connectedAt = state.now;
  state.dirty = true;
  forgetCounts(state);
  // The proof of life is renewed now. A member that was not fenced during the break keeps its leases.
  const { proof } = state.session;
  if (proof.revision > 0 && !proof.writing) proof.renewAt = state.now;
}
