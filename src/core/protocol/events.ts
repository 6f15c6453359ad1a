/**
 * The input and output of the protocol. Events are facts with a monotonic time. Effects are instructions to the engine. Events and
 * effects are plain data.
 */
import type { GroupLayoutRecord } from './layout-records.js';
import type { Closing, DeadOwners, LeaseRecord, OverrideRecord, SessionRecord } from './records.js';

/** A decoded session, lease, override or layout entry, from the watch or from the answer to a request. */
export type ViewEntry =
  | { kind: 'session'; id: string; revision: number; record: SessionRecord | 'unreadable' | null }
  | { kind: 'lease'; partition: number; revision: number; record: LeaseRecord | 'unreadable' | null }
  | { kind: 'override'; partition: number; revision: number; record: OverrideRecord | 'unreadable' | null }
  | { kind: 'layout'; revision: number; record: GroupLayoutRecord | 'unreadable' | null };

/** A session entry. */
export type SessionEntry = Extract<ViewEntry, { kind: 'session' }>;

/** A lease entry. */
export type LeaseEntry = Extract<ViewEntry, { kind: 'lease' }>;

/** An operator's override. */
export type OverrideEntry = Extract<ViewEntry, { kind: 'override' }>;

/** The entry of a keyed group's layout. */
export type LayoutEntry = Extract<ViewEntry, { kind: 'layout' }>;

/** A stored proof of life. The watch does not show proofs of life. */
export interface ProofEntry {
  kind: 'proof';
  id: string;
  revision: number;
  /** True if the proof was deleted: its member has ended or was fenced. */
  ended: boolean;
}

/** The outcome of a conditional write: a `WriteOutcome` that is not `failed`. */
export type Written = { kind: 'ok'; revision: number } | { kind: 'conflict' } | { kind: 'unknown' };

/**
 * The result of reading our own session. A null entry: the session was deleted. `vanished`: there is neither an entry
 * nor a deletion marker, or the entry is older than the known one.
 */
export type SessionFound =
  | { kind: 'ok'; entry: SessionEntry | null }
  | { kind: 'vanished' }
  | { kind: 'unknown' };

/** The result of reading a proof of life. Revision 0: it does not exist. `ended`: it was deleted. */
export type ProofFound = { kind: 'ok'; revision: number; ended: boolean } | { kind: 'unknown' };

/**
 * The result of looking up another member's session. A null entry: the session was deleted. `missing`: the leader has
 * neither a session nor a deletion marker. `proof`: the revision of the proof of life; 0 if there is none. `ended`: the
 * proof was deleted.
 */
export type SessionLookedUp =
  | { kind: 'found'; entry: SessionEntry | null }
  | { kind: 'missing'; proof: number; ended: boolean }
  | { kind: 'unknown' };

/** Facts that drive the protocol. `now` and `sentAt` are times of this process's monotonic clock, in milliseconds. */
export type GroupEvent = { now: number } & (
  | { type: 'tick' }
  | { type: 'connected' }
  | { type: 'disconnected' }
  | { type: 'identified'; id: string }
  | { type: 'snapshot'; entries: ViewEntry[] }
  | { type: 'changes'; entries: ViewEntry[] }
  | { type: 'session-written'; id: string; outcome: Written }
  | { type: 'session-removed'; id: string; outcome: Written }
  | { type: 'session-read'; id: string; outcome: SessionFound }
  | { type: 'proof-written'; id: string; sentAt: number; outcome: Written }
  /** The leader's answer about a proof of life, our own or a peer's. A cut-off leader may answer with an old revision. */
  | { type: 'proof-read'; id: string; outcome: ProofFound }
  | { type: 'proof-ended'; id: string; outcome: Written }
  | { type: 'session-fenced'; id: string; outcome: Written }
  | { type: 'session-looked-up'; id: string; found: SessionLookedUp }
  | { type: 'lease-written'; partition: number; expected: number; record: LeaseRecord; outcome: Written }
  /**
   * The leader's answer about a lease. `known`: the known revision when the request was sent. A null entry: the lease
   * does not exist.
   */
  | { type: 'lease-looked-up'; partition: number; known: number; entry: LeaseEntry | null | 'unknown' }
  /** The same for an operator's override. */
  | { type: 'override-looked-up'; partition: number; known: number; entry: OverrideEntry | null | 'unknown' }
  /**
   * The bucket has lost data. One sign: an acknowledged write got a revision that is not higher than one seen before.
   * Another sign: an answer contains an older entry than the known one.
   */
  | { type: 'went-back' }
  | { type: 'probed'; id: string; outcome: 'alive' | 'no-responders' | 'timeout' | 'denied' }
  | { type: 'partition-started'; partition: number; epoch: number }
  | { type: 'partition-drained'; partition: number; epoch: number }
  /** The partition failed for now, or its position shows that the epoch is over. */
  | { type: 'partition-failed'; partition: number; epoch: number; message: string }
  /** The handler failed for good, or the position cannot be read. This member keeps the halted partition. */
  | { type: 'partition-halted'; partition: number; epoch: number; message: string }
  /** The answer to `settle-position`; `position` is null if that failed. */
  | {
      type: 'position-settled';
      partition: number;
      epoch: number;
      order: number;
      position: Omit<Closing, 'order'> | null;
      message?: string | undefined;
    }
  | { type: 'layout-written'; expected: number; record: GroupLayoutRecord; outcome: Written }
  | { type: 'layout-looked-up'; entry: LayoutEntry | null | 'unknown' }
  /**
   * A request to hand a partition over. `to`: name or session id of the next owner; null: the member with the fewest
   * partitions.
   */
  | { type: 'release'; partition: number; to: string | null }
  /** A request to start a halted or failed partition again at once. */
  | { type: 'retry'; partition: number }
  /**
   * Hand over all partitions and leave. With `rejoinWithinMs` above 0, they are reserved for a restart of this member
   * instead.
   */
  | { type: 'leave'; rejoinWithinMs?: number }
);

/** The event with this type. */
export type EventOf<T extends GroupEvent['type']> = Extract<GroupEvent, { type: T }>;

/** Why a partition is stopped immediately, without a commit. */
export type AbortReason = 'deadline' | 'fenced' | 'lost' | 'resized' | 'went-back';

/** Instructions to the engine. Each effect that sends a request to the server is answered by one event. */
export type Effect =
  /** Create a new identity and start its micro service; answered by `identified`. */
  | { type: 'identify' }
  /** Create (`expected` 0) or renew our proof of life; answered by `proof-written`. */
  | { type: 'write-proof'; id: string; expected: number }
  /** Create (`expected` 0) the session, or mark it as leaving; answered by `session-written`. */
  | { type: 'write-session'; id: string; expected: number; leaving: boolean; gaveUp: string | null }
  /** Remove our session and our proof of life; answered by `session-removed`. */
  | { type: 'remove-session'; id: string; expected: number; proof: number }
  /** Read our own session, whose known revision is `known`; answered by `session-read`. */
  | { type: 'read-session'; id: string; known: number }
  | { type: 'read-proof'; id: string }
  /** Delete a proof of life at this revision, so that no later renewal can succeed; answered by `proof-ended`. */
  | { type: 'end-proof'; id: string; expected: number }
  /**
   * Delete the session of a member whose proof of life has ended. So all members see that the member has ended. With
   * `expected` 0, the session does not exist, and only a deletion marker is written.
   */
  | { type: 'fence-session'; id: string; expected: number }
  /** Read another member's session; answered by `session-looked-up`. */
  | { type: 'look-up-session'; id: string }
  | { type: 'write-lease'; partition: number; expected: number; record: Omit<LeaseRecord, 'at'> }
  /** Read a lease whose known revision is `known`; answered by `lease-looked-up`. */
  | { type: 'look-up-lease'; partition: number; known: number }
  /** Read an operator's override whose known revision is `known`; answered by `override-looked-up`. */
  | { type: 'look-up-override'; partition: number; known: number }
  /** Write back the position that this member last committed in a partition, if the bucket has none. */
  | { type: 'restore-position'; partition: number }
  /** Forget the bucket's revisions, write back the positions of `owned` if they are missing, and open another watch. */
  | { type: 'begin-anew'; owned: readonly number[] }
  | { type: 'probe'; id: string }
  /** `died`: owners whose deaths may still have to be counted in the position; null if there are none. */
  | { type: 'start-partition'; partition: number; epoch: number; died: DeadOwners | null }
  | { type: 'drain-partition'; partition: number; epoch: number }
  /**
   * Take over the position of a drained partition once more. After that, no earlier write can change it. Answered by
   * `position-settled`.
   */
  | { type: 'settle-position'; partition: number; epoch: number; order: number; isDrained: boolean }
  /** Write the next layout; answered by `layout-written`. */
  | { type: 'write-layout'; expected: number; record: GroupLayoutRecord }
  /** Read the layout; answered by `layout-looked-up`. */
  | { type: 'look-up-layout' }
  /** Use the partitions of this layout from now on. No partition of the older one runs. */
  | { type: 'begin-layout'; record: GroupLayoutRecord }
  | { type: 'abort-partition'; partition: number; epoch: number; reason: AbortReason }
  /** Until this time, handlers may start and commits may be sent. -Infinity: neither is permitted. */
  | { type: 'permit'; until: number }
  /** Abort the signals of running handlers, because the permit has ended. */
  | { type: 'interrupt' }
  | { type: 'wake-at'; at: number }
  | { type: 'report'; report: Report }
  /** This member has left; no more effects follow. */
  | { type: 'left' };

/** Reports for people and programs. Partitions are identified by number, members by name and id. */
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
      /** True if this member was also the last owner. */
      again: boolean;
      tookMs: number;
    }
  | { type: 'handed-over'; partition: number; epoch: number; to: string; tookMs: number }
  /**
   * The partition has no owner now. `keptForMs`: how long it is reserved for a restart of this member; null if it is
   * not.
   */
  | { type: 'released'; partition: number; epoch: number; keptForMs: number | null }
  | { type: 'lost'; partition: number; epoch: number; reason: AbortReason }
  | { type: 'retrying'; partition: number; epoch: number; message: string }
  | { type: 'halted'; partition: number; epoch: number; message: string }
  /**
   * `resizing`: an operator has requested a resize. All partitions are closed first. `resize-aborted`: the request was
   * withdrawn.
   */
  | { type: 'resizing'; from: number; to: number; by: string }
  | { type: 'resize-aborted'; partitions: number }
  | { type: 'resized'; from: number; to: number }
  /** `paused`: an operator paused the partition. It keeps its owner, but its messages are not handled. `unpaused`: the pause was lifted. */
  | { type: 'paused'; partition: number; epoch: number }
  | { type: 'unpaused'; partition: number; epoch: number }
  | { type: 'expired' }
  | { type: 'resumed' }
  | { type: 'fenced'; id: string }
  /** The bucket was restored from an older copy or has lost entries, so the member joins again. */
  | { type: 'went-back' }
  /**
   * A partition has made no progress for `forMs`. A `partition` of null stands for the whole member. Reported after 10
   * s, then once a minute.
   */
  | { type: 'standing'; partition: number | null; why: 'handler' | 'stuck'; reason: string; forMs: number }
  /** The event loop was blocked for `forMs` while this message was handled. */
  | { type: 'blocked'; partition: number; sequence: number; forMs: number }
  | { type: 'probing-denied' }
  | { type: 'unreadable'; key: string }
  /**
   * `disconnected`: the connection to this server broke. `reconnected`: it was restored after `afterMs`. null: unknown.
   */
  | { type: 'disconnected'; server: string | null; reason: string | null }
  | { type: 'reconnected'; server: string | null; afterMs: number };
