/**
 * What goes into the protocol and what comes out of it. Events are facts with a monotonic time; effects are
 * orders to the shell. Both are data.
 */
import type { LeaseRecord, OverrideRecord, SessionRecord } from './records.js';

/** A session, lease or override entry as the watch or a reply shows it, decoded. */
export type ViewEntry =
  | { kind: 'session'; id: string; revision: number; record: SessionRecord | 'unreadable' | null }
  | { kind: 'lease'; partition: number; revision: number; record: LeaseRecord | 'unreadable' | null }
  | { kind: 'override'; partition: number; revision: number; record: OverrideRecord | 'unreadable' | null };

/** A session entry. */
export type SessionEntry = Extract<ViewEntry, { kind: 'session' }>;

/** A lease entry. */
export type LeaseEntry = Extract<ViewEntry, { kind: 'lease' }>;
/** A member's proof of life as it is stored; outside of what the watch shows. */
export interface ProofEntry {
  kind: 'proof';
  id: string;
  revision: number;
  /** It was deleted: its member has ended or has been fenced. */
  ended: boolean;
}

/** The end of a conditional write; see the port of the same shape. */
export type Written = { kind: 'ok'; revision: number } | { kind: 'conflict' } | { kind: 'unknown' };

/**
 * What a read of our own session found; null: it was deleted. `vanished`: not even a mark of a deletion is there, or an
 * entry that is older than what we know.
 */
export type SessionFound =
  | { kind: 'ok'; entry: SessionEntry | null }
  | { kind: 'vanished' }
  | { kind: 'unknown' };

/** What a read of a proof of life found; revision 0: there is none. */
export type ProofFound = { kind: 'ok'; revision: number; ended: boolean } | { kind: 'unknown' };

/**
 * What a look for somebody else's session found; null: it was deleted. `missing`: the leader knows of none, and of a proof of
 * life at this revision (0: none), which was deleted or not.
 */
export type SessionLookedUp =
  | { kind: 'found'; entry: SessionEntry | null }
  | { kind: 'missing'; proof: number; ended: boolean }
  | { kind: 'unknown' };

/** Facts that drive the protocol. `now`, `sentAt`: this process's monotonic clock, milliseconds. */
export type GroupEvent = { now: number } & (
  | { type: 'tick' }
  | { type: 'connected' }
  | { type: 'disconnected' }
  /** The shell has a new identity ready (its micro service listens). */
  | { type: 'identified'; id: string }
  | { type: 'snapshot'; entries: ViewEntry[] }
  | { type: 'changes'; entries: ViewEntry[] }
  | { type: 'session-written'; id: string; outcome: Written }
  | { type: 'session-removed'; id: string; outcome: Written }
  | { type: 'session-read'; id: string; outcome: SessionFound }
  /** A renewal of our own proof of life. */
  | { type: 'proof-written'; id: string; sentAt: number; outcome: Written }
  /** The leader's answer about a proof of life, our own or a peer's. A leader that is cut off may answer with an old one. */
  | { type: 'proof-read'; id: string; outcome: ProofFound }
  /** Somebody else's proof of life was deleted, or not. */
  | { type: 'proof-ended'; id: string; outcome: Written }
  | { type: 'session-fenced'; id: string; outcome: Written }
  /** The leader's answer about somebody else's session. */
  | { type: 'session-looked-up'; id: string; found: SessionLookedUp }
  | { type: 'lease-written'; partition: number; expected: number; record: LeaseRecord; outcome: Written }
  /** The leader's answer about a lease that was known at revision `known` when it was asked; null: it is not there. */
  | { type: 'lease-looked-up'; partition: number; known: number; entry: LeaseEntry | null | 'unknown' }
  /** The bucket has acknowledged a write with a revision that is not above all that were seen before it was sent. */
  | { type: 'went-back' }
  | { type: 'probed'; id: string; outcome: 'alive' | 'no-responders' | 'timeout' | 'denied' }
  | { type: 'partition-started'; partition: number; epoch: number }
  | { type: 'partition-drained'; partition: number; epoch: number }
  /** It could not start or go on for now, or its position says that its epoch is over; try again. */
  | { type: 'partition-failed'; partition: number; epoch: number; message: string }
  /** Its handler gave up for good; it stays with us, at rest. */
  | { type: 'partition-halted'; partition: number; epoch: number; message: string }
  /** Somebody asks us to give a partition away, to a session by name or to whoever has least. */
  | { type: 'release'; partition: number; to: string | null }
  | { type: 'leave' }
);

/** Why a partition is stopped at once, without a commit. */
export type AbortReason = 'deadline' | 'fenced' | 'lost' | 'went-back';

/** Orders to the shell. Each that asks the server something is answered by one event. */
export type Effect =
  /** Make a new identity (and start its micro service), then say `identified`. */
  | { type: 'identify' }
  /** Create (`expected` 0) or renew our proof of life; answered by `proof-written`. */
  | { type: 'write-proof'; id: string; expected: number }
  /** Create (`expected` 0) the session, or mark it as leaving; answered by `session-written`. */
  | { type: 'write-session'; id: string; expected: number; leaving: boolean }
  /** Remove our session, and our proof of life with it. */
  | { type: 'remove-session'; id: string; expected: number; proof: number }
  /** Read our own session, known at revision `known`; answered by `session-read`. */
  | { type: 'read-session'; id: string; known: number }
  | { type: 'read-proof'; id: string }
  /** Delete somebody's proof of life, so that no renewal succeeds any more; answered by `proof-ended`. */
  | { type: 'end-proof'; id: string; expected: number }
  /** Delete the session of a member whose proof of life has ended, so that all see it; `expected` 0: it is not there. */
  | { type: 'fence-session'; id: string; expected: number }
  /** Read somebody else's session; answered by `session-looked-up`. */
  | { type: 'look-up-session'; id: string }
  | { type: 'write-lease'; partition: number; expected: number; record: Omit<LeaseRecord, 'at'> }
  /** Read a lease that is known at revision `known`; answered by `lease-looked-up`. */
  | { type: 'look-up-lease'; partition: number; known: number }
  /** Forget the bucket's revisions, put back the positions of `owned` where they are missing, watch anew. */
  | { type: 'begin-anew'; owned: readonly number[] }
  | { type: 'probe'; id: string }
  | { type: 'start-partition'; partition: number; epoch: number }
  | { type: 'drain-partition'; partition: number; epoch: number }
  | { type: 'abort-partition'; partition: number; epoch: number; reason: AbortReason }
  /** Handlers may start until this time and not after; -Infinity: not now. */
  | { type: 'permit'; until: number }
  /** The permission ran out: tell running handlers through their AbortSignal. */
  | { type: 'interrupt' }
  | { type: 'wake-at'; at: number }
  | { type: 'report'; report: Report }
  /** We have left; nothing more will come. */
  | { type: 'left' };

/** What people and programs are told. Partitions by number, members by name and id. */
export type Report =
  | { type: 'joined'; id: string; name: string; members: number }
  | { type: 'member-joined'; id: string; name: string }
  | { type: 'member-left'; id: string; name: string; how: 'left' | 'dead' }
  | { type: 'suspected'; id: string; name: string; why: 'silent' | 'unreachable' }
  | {
      type: 'acquired';
      partition: number;
      epoch: number;
      from: string | null;
      reason: LeaseRecord['reason'];
      tookMs: number;
    }
  | { type: 'handed-over'; partition: number; epoch: number; to: string; tookMs: number }
  | { type: 'released'; partition: number; epoch: number }
  | { type: 'lost'; partition: number; epoch: number; reason: AbortReason }
  | { type: 'retrying'; partition: number; epoch: number; message: string }
  | { type: 'halted'; partition: number; epoch: number; message: string }
  /** Somebody wants it to rest: owned, not handled. And not any more. */
  | { type: 'paused'; partition: number; epoch: number }
  | { type: 'unpaused'; partition: number; epoch: number }
  | { type: 'expired' }
  | { type: 'resumed' }
  | { type: 'fenced'; id: string }
  /** The bucket is older than what this member knew, or has lost entries: it begins anew. */
  | { type: 'went-back' }
  /** Nothing has moved for so long; `partition` null: the member as a whole. Told after 10 s, then once a minute. */
  | { type: 'standing'; partition: number | null; why: 'handler' | 'stuck'; reason: string; forMs: number }
  /** The event loop was blocked for so long, while this message was handled. */
  | { type: 'blocked'; partition: number; sequence: number; forMs: number }
  | { type: 'probing-denied' }
  | { type: 'unreadable'; key: string };
