import { beginAnew } from './begin-anew.js';
import type { EventOf, SessionEntry } from './events.js';
import { resetSession } from './initial-state.js';
import { leaseNow } from './known-layout.js';
import { checkDeadline, maintainProof } from './proof.js';
import { abortAll, isDue, report, type State } from './state.js';

/** Maintains this member's session: creates it, marks it as leaving, removes it, and notices its end. */
export function maintainSession(state: State): void {
  const { session } = state;
  if (state.left) return;
  checkDeadline(state, () => abortAll(state, 'deadline'));
  if (!state.connected) return;

  if (session.id === null) {
    if (state.leaving) finishLeaving(state);
    else if (!state.identifying) {
      state.identifying = true;
      state.out.push({ type: 'identify' });
    }
    return;
  }
  if (state.leaving && session.revision === 0 && !session.writing) {
    if (session.inDoubt || session.proof.revision > 0) removeSession(state, session.id);
    else finishLeaving(state);
    return;
  }
  if (state.leaving && isEmptyHanded(state) && isMarkTried(state)) removeSession(state, session.id);
  if (session.removing) return;
  // Nothing is written before the first snapshot, because the snapshot can make the group refuse this member.
  if (!state.viewReady && session.proof.revision === 0) return;
  maintainProof(state);
  // The proof is written first. A session without a proof would be considered dead.
  if (session.proof.revision > 0 && state.viewReady) writeEntry(state, session.id);
}

/** Creates the session entry, or marks it as leaving. It is not written otherwise, because each write goes to all members. */
function writeEntry(state: State, id: string): void {
  const { session } = state;
  if (session.writing || session.reading) return;
  if (session.revision > 0 && (!state.leaving || session.marked)) return;
  if (!isDue(state, session.writeAt)) return;
  session.writing = true;
  session.marked = state.leaving;
  if (state.leaving) state.dirty = true;
  const { leaving, gaveUp } = state;
  state.out.push({ type: 'write-session', id, expected: session.revision, leaving, gaveUp });
}

/**
 * True if the entry is marked as leaving, or the mark cannot be written. The mark tells other members that this member did not die. Only
 * one attempt is made, because a full bucket refuses the mark but accepts the removal.
 */
function isMarkTried({ session, viewReady }: State): boolean {
  return session.marked || session.inDoubt || !viewReady || session.proof.revision === 0;
}

/** True if this member owns nothing, and no lease in the view names it as the new owner. */
function isEmptyHanded(state: State): boolean {
  if (state.own.size > 0) return false;
  for (const partition of state.leases.keys()) {
    const record = leaseNow(state, partition)?.record;
    if (record && record !== 'unreadable' && record.owner === state.session.id) return false;
  }
  return true;
}

function removeSession(state: State, id: string): void {
  const { session } = state;
  if (session.writing || session.removing || session.reading || session.proof.writing) return;
  if (!isDue(state, session.writeAt)) return;
  session.removing = true;
  const { revision } = session.proof;
  state.out.push({ type: 'remove-session', id, expected: session.revision, proof: revision });
}

function finishLeaving(state: State): void {
  if (state.left) return;
  state.left = true;
  state.out.push({ type: 'left' });
}

/** Handles the answer to `write-session`. */
export function sessionWritten(state: State, { outcome }: EventOf<'session-written'>): void {
  const { session } = state;
  session.writing = false;
  if (outcome.kind === 'ok') {
    entryCertain(state, outcome.revision);
    return;
  }
  session.marked = false;
  session.inDoubt = true;
  session.writeAt = state.now + state.timing.retryMs;
  if (outcome.kind === 'conflict') readEntry(state);
}

function readEntry(state: State): void {
  const { session } = state;
  session.reading = true;
  if (session.id !== null) state.out.push({ type: 'read-session', id: session.id, known: session.revision });
}

/** Handles the answer to `read-session`. */
export function sessionRead(state: State, { outcome }: EventOf<'session-read'>): void {
  state.session.reading = false;
  if (outcome.kind === 'unknown') return;
  if (outcome.kind === 'vanished' && state.session.revision > 0) beginAnew(state);
  else if (outcome.kind === 'ok' && outcome.entry) ownSessionSeen(state, outcome.entry);
  else ended(state, 'session');
}

/** Applies our own session entry. A newer entry is our own write whose answer was lost or is still on its way. */
export function ownSessionSeen(state: State, { revision, record }: SessionEntry): void {
  const { session } = state;
  if (revision <= session.revision) return;
  session.marked = record !== null && record !== 'unreadable' && record.leaving === true;
  entryCertain(state, revision);
}

function entryCertain(state: State, revision: number): void {
  const { session } = state;
  const isFirst = session.revision === 0;
  session.revision = Math.max(session.revision, revision);
  session.inDoubt = false;
  state.dirty = true;
  if (!isFirst || session.id === null) return;
  report(state, { type: 'joined', id: session.id, name: state.name, members: state.peers.size + 1 });
  settle(state);
}

/**
 * Called when our session has ended: another member fenced it, or we removed it. If the fencing member died after it deleted only the
 * session or only the proof, the other one ends too.
 */
export function ended(state: State, shown: 'session' | 'proof'): void {
  const { id, removing, inDoubt, revision, proof } = state.session;
  if (state.left || id === null) return;
  if (revision > 0 && !removing) {
    // A leaving member may have removed its session itself, and lost the answer. Then it was not fenced.
    if (!state.leaving || !inDoubt) report(state, { type: 'fenced', id });
    // If only the proof has ended, our handlers still have `suspectMs` to stop. Then another member deletes the session.
    if (shown === 'session') state.out.push({ type: 'end-proof', id, expected: proof.revision });
    else state.former = id;
  }
  abortAll(state, 'fenced');
  // A session id is never reused.
  resetSession(state);
  // Lost leases of this session are not written again. Such a write would take the partition from its new owner.
  for (const [partition, { owner }] of state.lost) if (owner === id) state.lost.delete(partition);
  if (state.leaving) finishLeaving(state);
}

/** Handles the answer to `remove-session`. */
export function sessionRemoved(state: State, { outcome }: EventOf<'session-removed'>): void {
  const { session } = state;
  session.removing = false;
  if (outcome.kind === 'ok') {
    resetSession(state);
    finishLeaving(state);
    return;
  }
  session.inDoubt = true;
  session.writeAt = state.now + state.timing.retryMs;
  // An earlier attempt removed the session, another member fenced it, or a write without an answer was applied.
  if (outcome.kind === 'conflict') readEntry(state);
}

/** Postpones the plan after a join, at most by `settleAtMostMs`. So a burst of joins causes only one plan. */
export function settle(state: State): void {
  const { now, timing } = state;
  if (now >= state.settleUntil) state.settleSince = now;
  state.settleUntil = Math.min(now + timing.settleMs, state.settleSince + timing.settleAtMostMs);
}
