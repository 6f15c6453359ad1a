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
  /** Revision of the peer's session. */
  revision: number;
  record: SessionRecord | 'unreadable';
  probeAt: number;
  probing: boolean;
  /** True if the peer did not answer the last probe. */
  unanswered: boolean;
  /** The number of "no responders" answers in a row, and when the first of them was received. */
  misses: number;
  missingSince: number;
  /** The peer's proof of life as last read; null if unknown. */
  proof: SeenProof | null;
  lookAt: number;
  looking: boolean;
  /** True while a write that fences the peer is in flight: first the deletion of its proof of life, then the deletion of its session. */
  fencing: boolean;
  /** The peer is not fenced before this time. */
  fenceAt: number;
}

/** A revision of a proof of life, and the times at which it was first and last seen. */
export interface SeenProof {
  revision: number;
  since: number;
  seenAt: number;
  /** True if the proof was deleted, so that no renewal can succeed. */
  ended: boolean;
}

/** A partition that this member owns, or is handing over. */
export interface OwnPartition {
  epoch: number;
  /**
   * `starting` and `draining` wait for the engine, `waiting` for the time `retryAt`, `drained` for a lease write, `halted` and `paused`
   * for an operator.
   */
  phase: 'starting' | 'running' | 'draining' | 'drained' | 'waiting' | 'halted' | 'paused';
  /** When the phase began. */
  since: number;
  retryAt: number;
  /** The resize order for which the partition was drained, and its position; null until the position is certain. */
  settled: Closing | null;
  /** True while the request to make the position certain is in flight. */
  settling: boolean;
  /** Revision of the layout when the last drain of the partition began. */
  drainedUnder: number;
  /** True if the partition was paused under this epoch. After a pause, the start of the partition is not reported as `acquired`. */
  rested: boolean;
  /** True if a drain of the partition has failed. After a failed drain, the partition is drained only once more. */
  drainFailed: boolean;
  /** Owners whose deaths may still have to be counted in the partition's position; null if there are none, or if they were counted. */
  died: DeadOwners | null;
  /**
   * A request to give the partition away. `to`: name or session id of the member that gets the partition; null: the member with the fewest
   * partitions.
   */
  release: { to: string | null } | null;
  reason: LeaseReason;
  from: string | null;
}

/** A lease write that is in flight (`retryAt` is infinite), or that is repeated at `retryAt`. */
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
  /** When the first write with unknown outcome since the last confirmed write was sent; null if there is none. */
  unknownSince: number | null;
  /** True while a read that explains a conflict is in flight. */
  reading: boolean;
}

/** This member's own session. Revision 0 means that the session has not been created yet. */
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
  /** The revision of the layout entry. */
  revision: number;
  /** null if the partitions are those of the stream's own layout. */
  record: GroupLayoutRecord | null;
  /** True while a read of the layout is in flight. */
  looking: boolean;
  /** The next layout is not written before this time; infinite while a write is in flight. */
  writeAt: number;
}

/** Everything that the protocol knows. Created by `initialState`, and changed only by `step`. */
export interface State {
  readonly group: string;
  /** The number of partitions in the layout. */
  partitions: number;
  /** The layout of a keyed group as last seen; its revision is 0 if there is no layout. */
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
  /** A leaving member reserves its partitions for this long; 0 means no reservation. */
  rejoinWithinMs: number;
  left: boolean;
  session: OwnSession;
  interrupted: boolean;
  permit: number;
  peers: Map<string, Peer>;
  leases: Map<number, { revision: number; record: LeaseRecord | 'unreadable' | null }>;
  /** Operators' overrides by partition. An unreadable entry has no effect. */
  overrides: Map<number, { revision: number; record: OverrideRecord | 'unreadable' | null }>;
  /** Deleted sessions whose deletion the watch has not shown yet, each with the revision of the deletion. */
  buried: Map<string, number>;
  /** Members whose session is missing in the bucket, without a deletion marker. */
  absent: Set<string>;
  /** Sessions that have certainly ended, the newest last. */
  gone: Set<string>;
  /** Owners whose sessions the watch never showed, and when to ask the leader about them; infinite while a request is in flight. */
  lookUps: Map<string, number>;
  /**
   * The session under which this member was fenced; null if there is none. The id is kept until the session is observed as a peer or has
   * certainly ended.
   */
  former: string | null;
  /** The last session that this member gave up because the bucket lost data; null if there is none. */
  gaveUp: string | null;
  /** Owners without a session: the revision of their proof of life (0 if there is none), and since when it has been unchanged. */
  unseen: Map<string, { revision: number; since: number }>;
  own: Map<number, OwnPartition>;
  /** The epoch under which this member last handled each partition. */
  had: Map<number, number>;
  /** Reserved partitions, and when their reservations end on this member's clock. */
  reserved: Map<number, number>;
  /** Leases that the bucket has lost, and for which this member is responsible. It writes them again unchanged. */
  lost: Map<number, LeaseRecord>;
  /** Leases for which the leader returned a revision older than the known revision, each with the known revision. */
  receded: Map<number, number>;
  /** Overrides for which the leader returned a revision older than the known revision, each with the time of the first such answer. */
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
  /** The other members in the order of observation; null if the order has to be computed again. */
  ring: Peer[] | null;
  /** True if something has changed that affects the plan or the partitions. */
  dirty: boolean;
  /** Time of the last plan. */
  reconciledAt: number;
  /** True if a plan was postponed until the pause after the last join is over. */
  unsettled: boolean;
  wakeAt: number;
  random: number;
  readonly out: Effect[];
}

/** Maximum number of ended sessions that are remembered. If a forgotten session appears again, the leader is asked about it. */
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

/** Requests a `tick` at the time `at`. If one step requests several ticks, the earliest time applies. */
export function wake(state: State, at: number): void {
  if (at < state.wakeAt) state.wakeAt = at;
}

/** True if the time `at` has come. If `at` is in the future, requests a `tick` at that time. */
export function isDue(state: State, at: number): boolean {
  if (state.now < at) wake(state, at);
  return state.now >= at;
}

/** True while the session exists, as far as we know, and the deadline has not passed. */
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
