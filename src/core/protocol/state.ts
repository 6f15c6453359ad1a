import type { AbortReason, Effect, Report } from './events.js';
import type { GroupLayoutRecord } from './layout-records.js';
import type {
  Closing,
  DeadOwners,
  LeaseReason,
  LeaseRecord,
  OverrideRecord,
  SessionRecord,
} from './records.js';
import type { Timing } from './timing.js';

/** What a member knows about another member. Times are on this member's clock. */
export interface Peer {
  id: string;
  revision: number;
  record: SessionRecord | 'unreadable';
  probeAt: number;
  probing: boolean;
  /** True if the peer did not answer the last probe. */
  unanswered: boolean;
  /** The number of "no responders" answers in a row, and the time of the first. */
  misses: number;
  missingSince: number;
  /** The peer's proof of life as last read; null if unknown. */
  proof: SeenProof | null;
  lookAt: number;
  looking: boolean;
  /** True while the peer is being fenced: its proof of life is deleted first, then its session. */
  fencing: boolean;
  /** The peer is not fenced before this time. */
  fenceAt: number;
  /** The revision of the proof of life with which the peer was last reported as suspected; -1 if there was no report. */
  suspectedAt: number;
}

/** A revision of a proof of life. `since` and `seenAt` are the times when it was first and last seen. */
export interface SeenProof {
  revision: number;
  since: number;
  seenAt: number;
  /** True if the proof was deleted. Then no renewal can succeed. */
  ended: boolean;
}

/** A partition that this member owns or is handing over. */
export interface OwnPartition {
  epoch: number;
  /**
   * What the partition waits for: `starting` and `draining` for the engine, `waiting` for `retryAt`, `drained` for a lease write, `halted`
   * and `paused` for an operator.
   */
  phase: 'starting' | 'running' | 'draining' | 'drained' | 'waiting' | 'halted' | 'paused';
  /** When the phase began. */
  since: number;
  retryAt: number;
  /** Where the drained partition can be closed for a resize; null until its position is certain. */
  settled: Closing | null;
  /** True while `settle-position` is in flight. */
  settling: boolean;
  /** Revision of the layout when the last drain of the partition began. */
  drainedUnder: number;
  /** True if the partition was paused under this epoch. Then its next start is not reported as `acquired`. */
  rested: boolean;
  /** True if a drain of the partition has failed. Then it is drained only once more. */
  drainFailed: boolean;
  /** Owners whose deaths the position perhaps does not count yet; null if there are none. */
  died: DeadOwners | null;
  /**
   * A request to give the partition away. `to` is the name or session id of the new owner; null means the member with the fewest
   * partitions.
   */
  release: { to: string | null } | null;
  reason: LeaseReason;
  from: string | null;
}

/** A lease write. It is repeated at `retryAt`, which is infinite while the write is in flight. */
export interface LeaseWrite {
  expected: number;
  retryAt: number;
}

/** This member's own proof of life. Revision 0 means that the proof has not been created yet. */
export interface OwnProof {
  revision: number;
  /** When the last confirmed write was sent. */
  certainAt: number;
  /** All partitions are aborted at this time. */
  deadline: number;
  renewAt: number;
  /** The write in flight: when it was sent, and the expected revision. */
  writing: { since: number; expected: number } | null;
  /** When the oldest write without an answer was sent; null if every write since the last confirmed one was answered. */
  unknownSince: number | null;
  /** True while a read that explains a conflict is in flight. */
  reading: boolean;
}

/** This member's own session. */
export interface OwnSession {
  id: string | null;
  revision: number;
  proof: OwnProof;
  writing: boolean;
  /** The session is not written or removed before this time. */
  writeAt: number;
  /** True if a write with unknown outcome may have been applied. */
  inDoubt: boolean;
  /** True while a read that explains a conflict is in flight. */
  reading: boolean;
  /** True if the entry is marked as leaving, or the write of the mark is in flight. */
  marked: boolean;
  removing: boolean;
  /** True if the deadline has passed and the partitions were aborted. */
  expired: boolean;
}

/** The layout of a group, as a member knows it. */
export interface KnownLayout {
  /** The number of resizes of the group. */
  epoch: number;
  revision: number;
  /** null if the partitions are those of the stream's own layout. */
  record: GroupLayoutRecord | null;
  looking: boolean;
  /** The next layout is not written before this time. Infinite while a write is in flight. */
  writeAt: number;
}

/** Everything that the protocol knows. Created by `initialState`, and changed only by `step`. */
export interface State {
  readonly group: string;
  partitions: number;
  /** The group's layout as last seen. Without a layout, its revision is 0. */
  layout: KnownLayout;
  readonly name: string;
  readonly timing: Timing;
  now: number;
  connected: boolean;
  connectedAt: number;
  /** True after a reconnect, false on the first connection. */
  reconnected: boolean;
  viewReady: boolean;
  watchRevision: number;
  identifying: boolean;
  leaving: boolean;
  /** How long a leaving member reserves its partitions; 0 means no reservation. */
  rejoinWithinMs: number;
  left: boolean;
  session: OwnSession;
  interrupted: boolean;
  permit: number;
  peers: Map<string, Peer>;
  leases: Map<number, { revision: number; record: LeaseRecord | 'unreadable' | null }>;
  /** Operators' overrides by partition. An unreadable entry has no effect. */
  overrides: Map<number, { revision: number; record: OverrideRecord | 'unreadable' | null }>;
  /** Deleted sessions whose deletion the watch has not shown yet, with the revisions of the deletions. */
  buried: Map<string, number>;
  /** Members whose session is missing in the bucket, without a deletion marker. */
  absent: Set<string>;
  /** Sessions that have certainly ended, the newest last. */
  gone: Set<string>;
  /**
   * Owners whose sessions the watch never showed. The value is the time to ask the leader about them; infinite while a request is in
   * flight.
   */
  lookUps: Map<string, number>;
  /** The session under which this member was fenced, if any. It is kept until it is observed as a peer or has certainly ended. */
  former: string | null;
  /** The last session that this member abandoned because the bucket lost data, if any. */
  gaveUp: string | null;
  /** Owners without a session. `revision` is that of their proof of life (0 if there is none). It has been unchanged since `since`. */
  unseen: Map<string, { revision: number; since: number }>;
  own: Map<number, OwnPartition>;
  /** The epoch under which this member last handled each partition. */
  had: Map<number, number>;
  /** Reserved partitions, and when their reservations end on this member's clock. */
  reserved: Map<number, number>;
  /** Leases that the bucket has lost. This member is responsible for them and writes them again unchanged. */
  lost: Map<number, LeaseRecord>;
  /** The known revisions of leases for which the leader returned an older revision. */
  receded: Map<number, number>;
  /** Overrides for which the leader returned an older revision than the known one. The value is the time of the first such answer. */
  doubted: Map<number, number>;
  /**
   * The entries that {@link lookAtEntries} read last: the leases of the partitions `mine` and `foreign`, the override of the partition
   * `override`, and the session of `peer`.
   */
  lookedAt: { mine: number; foreign: number; override: number; peer: string };
  /** When {@link lookAtEntries} reads the next entries. */
  lookAt: number;
  writes: Map<number, LeaseWrite>;
  settleUntil: number;
  /** Nothing is claimed before this time; see `holdClaims`. */
  holdUntil: number;
  settleSince: number;
  probing: boolean;
  /** The other members in the order of observation; null if it has to be computed again. */
  ring: Peer[] | null;
  /** True if something has changed that affects the plan or the partitions. */
  dirty: boolean;
  /** Time of the last plan. */
  reconciledAt: number;
  /** True if a plan was postponed because a member has just joined. */
  unsettled: boolean;
  wakeAt: number;
  random: number;
  readonly out: Effect[];
}

/** Maximum number of ended sessions that are remembered. The leader is asked about forgotten sessions. */
const MOST_GONE = 4_096;

/** Remembers that a session has certainly ended. A session id is never used again. */
export function markGone(state: State, id: string): void {
  state.gone.delete(id);
  state.gone.add(id);
  if (state.gone.size <= MOST_GONE) return;
  for (const oldest of state.gone) {
    state.gone.delete(oldest);
    return;
  }
}

/** Adds a report to the effects of this step. */
export function report(state: State, what: Report): void {
  state.out.push({ type: 'report', report: what });
}

/** Requests a `tick` at the time `at`. The earliest request of a step applies. */
export function wake(state: State, at: number): void {
  if (at < state.wakeAt) state.wakeAt = at;
}

/** True if the time `at` has come. If `at` is in the future, requests a `tick` at that time. */
export function isDue(state: State, at: number): boolean {
  if (state.now < at) wake(state, at);
  return state.now >= at;
}

/** True while the session is known to exist and the deadline has not passed. */
export function isAlive({ session, now }: State): boolean {
  return session.revision > 0 && !session.removing && now < session.proof.deadline;
}

/** Stops all partitions immediately, without a commit. */
export function abortAll(state: State, reason: AbortReason): void {
  for (const [partition, { epoch, phase }] of state.own) {
    if (phase !== 'drained') state.out.push({ type: 'abort-partition', partition, epoch, reason });
    report(state, { type: 'lost', partition, epoch, reason });
  }
  state.own.clear();
  state.dirty = true;
}
