import { beginAnew } from './begin-anew.js';
import type { EventOf, SessionEntry } from './events.js';
import { resetSession } from './initial-state.js';
import { leaseNow } from './known-layout.js';
import { checkDeadline, maintainProof } from './proof.js';
import { abortAll, isDue, report, type State } from './state.js';

/** Maintains this member's session: creates it, marks it as leaving, removes it, notices its end. */
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
  // Nothing is written before the members are known: a member that is refused leaves nothing behind.
  if (!state.viewReady && session.proof.revision === 0) return;
  maintainProof(state);
  // A visible session needs a proof of life, or it would count as dead.
  if (session.proof.revision > 0 && state.viewReady) writeEntry(state, session.id);
}

/** Creates the entry, or marks it as leaving. It is written at no other time, because all members see it. */
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
 * True if the entry is marked as leaving, or cannot be. The mark is how other members tell a leave from a death, even of a member that
 * owns nothing. One failed write is enough: a full bucket refuses the mark, but not the removal.
 */
function isMarkTried({ session, viewReady }: State): boolean {
  return session.marked || session.inDoubt || !viewReady || session.proof.revision === 0;
}

/** True if nothing is owned, and the view shows no lease that another member has handed to us. */
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

/** Our entry exists. If it is newer than we know, a write was applied whose answer is lost or still to come. */
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
 * Our session has ended: another member fenced it, or we removed it. Session and proof of life end together, even if the
 * fencing member died between the two.
 */
export function ended(state: State, shown: 'session' | 'proof'): void {
  const { id, removing, inDoubt, revision, proof } = state.session;
  if (state.left || id === null) return;
  if (revision > 0 && !removing) {
    // A leaving member may have removed its session with a write whose answer was lost.
    if (!state.leaving || !inDoubt) report(state, { type: 'fenced', id });
    // The session stays for a while after its proof, so our handlers have time to stop. Other members delete the
    // session after `suspectMs`.
    if (shown === 'session') state.out.push({ type: 'end-proof', id, expected: proof.revision });
    else state.former = id;
  }
  abortAll(state, 'fenced');
  // An id is never reused, even if no other member has seen it.
  resetSession(state);
  // Others may have claimed what this session owned: to write a lost lease of it again would end their leases.
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
  // An earlier try removed the session, another member fenced it, or an unknown write of ours was applied.
  if (outcome.kind === 'conflict') readEntry(state);
}

/** A member has joined: wait for others that join at the same time, but not forever. */
export function settle(state: State): void {
  const { now, timing } = state;
  if (now >= state.settleUntil) state.settleSince = now;
  state.settleUntil = Math.min(now + timing.settleMs, state.settleSince + timing.settleAtMostMs);
}
