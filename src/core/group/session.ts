import { beginAnew } from './anew.js';
import type { SessionFound, Written } from './events.js';
import { abortAll, isAlive, random, report, resetSession, type State, wake } from './state.js';

/** Keeps the own session: creates it, renews it, confirms it, marks it as leaving, removes it, notices its end. */
export function maintainSession(state: State): void {
  const { session, now, timing } = state;
  if (state.left) return;
  if (session.revision > 0 && !session.expired && now >= session.deadline) {
    session.expired = true;
    if (!state.leaving) report(state, { type: 'expired' });
    abortAll(state, 'deadline');
  }
  if (session.revision > 0 && !session.expired) wake(state, session.deadline);
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
    if (session.unknownSince === null) finishLeaving(state);
    else removeSession(state, session.id);
    return;
  }
  if (state.leaving && isEmptyHanded(state)) removeSession(state, session.id);
  if (session.writing || session.reading || session.removing) return;
  if (now >= session.renewAt || (state.leaving && !session.marked)) {
    session.writing = { since: now, expected: session.revision };
    session.renewAt = Number.POSITIVE_INFINITY;
    state.out.push({
      type: 'write-session',
      id: session.id,
      expected: session.revision,
      leaving: state.leaving,
    });
    session.marked = state.leaving;
    if (state.leaving) state.dirty = true;
  }
  wake(state, session.renewAt);

  if (session.revision > 0) {
    if (now >= state.confirmAt) {
      state.confirmAt = now + timing.confirmEveryMs;
      state.out.push({ type: 'read-session', id: session.id, known: session.revision });
    }
    wake(state, state.confirmAt);
  }
}

/** Nothing owned, and nothing in the view that somebody gave us meanwhile. */
function isEmptyHanded(state: State): boolean {
  if (state.own.size > 0) return false;
  for (const lease of state.leases.values()) {
    if (lease.record !== null && lease.record !== 'unreadable' && lease.record.owner === state.session.id)
      return false;
  }
  return true;
}

function removeSession(state: State, id: string): void {
  const { session } = state;
  if (session.writing || session.removing || session.reading) return;
  if (
    state.now < session.renewAt &&
    session.renewAt !== Number.POSITIVE_INFINITY &&
    session.unknownSince !== null
  ) {
    wake(state, session.renewAt);
    return;
  }
  session.removing = true;
  state.out.push({ type: 'remove-session', id, expected: session.revision });
}

function finishLeaving(state: State): void {
  if (state.left) return;
  state.left = true;
  state.out.push({ type: 'left' });
}

/** The session is certain at `revision`, because of a write that was sent at `sentAt` or later. */
function certain(state: State, revision: number, sentAt: number): void {
  const { session, timing } = state;
  const first = session.revision === 0;
  const resumed = session.expired;
  session.revision = revision;
  session.certainAt = Math.max(session.certainAt, sentAt);
  session.deadline = sentAt + timing.ttlMs - timing.marginMs;
  session.unknownSince = null;
  session.renewAt = sentAt + timing.renewEveryMs * (0.9 + 0.2 * random(state));
  session.expired = false;
  heard(state, sentAt);
  if (state.now >= session.deadline) session.expired = resumed;
  else if (resumed) report(state, { type: 'resumed' });
  if (first || resumed || state.leaving) state.dirty = true;
  if (first && session.id !== null) {
    state.confirmAt = sentAt + timing.confirmEveryMs;
    report(state, { type: 'joined', id: session.id, name: state.name, members: state.peers.size + 1 });
    settle(state);
  }
}

/** Handles the answer to `write-session`. */
export function sessionWritten(state: State, sentAt: number, outcome: Written): void {
  const { session, now, timing } = state;
  // The watch or a read can be faster than the answer, or than the lack of one.
  const isSettled = session.writing !== null && session.revision > session.writing.expected;
  session.writing = null;
  if (isSettled && outcome.kind !== 'ok') {
    session.marked = false;
    return;
  }
  switch (outcome.kind) {
    case 'ok':
      // An earlier write of unknown outcome cannot have been applied: this one would have conflicted with it.
      certain(state, outcome.revision, sentAt);
      return;
    case 'unknown':
      session.unknownSince ??= sentAt;
      session.marked = false;
      session.renewAt = now + timing.retryMs;
      return;
    case 'conflict':
      // The server can say so of a write that it applied (nats-server#7281): as much in doubt as no answer.
      session.unknownSince ??= sentAt;
      session.marked = false;
      session.reading = true;
      session.renewAt = now + timing.retryMs;
      readBack(state);
  }
}

/** Asks what became of our session. */
function readBack({ session, out }: State): void {
  if (session.id !== null) out.push({ type: 'read-session', id: session.id, known: session.revision });
}

/** Handles the answer to `read-session`, asked either to explain a conflict or to be sure to be in touch. */
export function sessionRead(state: State, sentAt: number, outcome: SessionFound): void {
  const { session, now, timing } = state;
  const explaining = session.reading;
  session.reading = false;
  if (outcome.kind === 'unknown') {
    if (explaining) session.renewAt = now + timing.retryMs;
    return;
  }
  if (outcome.kind === 'vanished' && session.revision > 0) {
    beginAnew(state);
    return;
  }
  if (outcome.kind === 'vanished' || outcome.revision === null) {
    if (session.revision > 0) ended(state);
    else if (state.leaving) finishLeaving(state);
    // Created by a write whose answer was lost, and fenced since: its key is used up.
    else resetSession(state);
    return;
  }
  ownSessionSeen(state, outcome.revision);
  heard(state, sentAt);
}

/**
 * Our entry exists at `revision`. Where that is newer than we know, a write of ours was applied whose answer
 * was lost; which one is not known, so the first of them counts.
 */
export function ownSessionSeen(state: State, revision: number): void {
  const { session } = state;
  const since = session.unknownSince ?? session.writing?.since;
  if (revision > session.revision && since !== undefined) certain(state, revision, since);
}

/** Our session is gone: somebody fenced us, or we have removed it ourselves. */
export function ended(state: State): void {
  if (state.left || state.session.revision === 0) return;
  const { id, removing } = state.session;
  if (!removing && id !== null) report(state, { type: 'fenced', id });
  abortAll(state, 'fenced');
  resetSession(state);
  if (state.leaving) finishLeaving(state);
}

/** Handles the answer to `remove-session`. */
export function sessionRemoved(state: State, outcome: Written): void {
  const { session, now, timing } = state;
  session.removing = false;
  if (outcome.kind === 'ok') {
    resetSession(state);
    finishLeaving(state);
  } else if (outcome.kind === 'conflict') {
    // Removed by an earlier try or fenced; or a write of ours was applied that we do not know of.
    session.reading = true;
    readBack(state);
  } else {
    session.unknownSince ??= now;
    session.renewAt = now + timing.retryMs;
  }
}

/**
 * A question that was sent at `sentAt` was answered: we were in touch then. After a reconnect only once a
 * renewal has said so to the others: they count how long we are gone, and the first thing that makes them
 * start again is a renewal, not that we could ask something between two of their probes. Nor that something was answered
 * that had been asked before: the client may have kept it while it was disconnected.
 */
export function heard(state: State, sentAt: number): void {
  if (sentAt <= state.heardAt) return;
  if (state.session.certainAt < state.connectedAt) return;
  state.heardAt = sentAt;
  state.confirmAt = Math.max(state.confirmAt, sentAt + state.timing.confirmEveryMs);
}

/** Says until when handlers may start, and tells the running ones when that time has passed. */
export function updatePermit(state: State): void {
  const { session, now, timing } = state;
  const end = Math.min(session.deadline, state.heardAt + timing.confirmGraceMs);
  const until = state.connected && isAlive(state) && now < end ? end : Number.NEGATIVE_INFINITY;
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

/** A member has joined: wait for others that come at the same time, but not for ever. */
export function settle(state: State): void {
  const { now, timing } = state;
  if (now >= state.settleUntil) state.settleSince = now;
  state.settleUntil = Math.min(now + timing.settleMs, state.settleSince + timing.settleAtMostMs);
}
