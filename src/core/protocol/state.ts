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
  /** Revision of its session. */
  revision: number;
  record: SessionRecord | 'unreadable';
  probeAt: number;
  probing: boolean;
  /** True if it did not answer the last probe. */
  unanswered: boolean;
  /** The number of "no responders" in a row, and when the first was received. */
  misses: number;
  missingSince: number;
  /** Its proof of life as last read; null if unknown. */
  proof: SeenProof | null;
  lookAt: number;
  looking: boolean;
  /** True while a write that fences it is in flight: first of its proof of life, then of its session. */
  fencing: boolean;
  /** Not to be fenced before this time. */
  fenceAt: number;
}

/** A proof of life: when this revision was first and last seen. */
export interface SeenProof {
  revision: number;
  since: number;
  seenAt: number;
  /** True if it was deleted: no renewal can succeed. */
  ended: boolean;
}

/** A partition that this member owns, or is handing over. */
export interface OwnPartition {
  epoch: number;
  /**
   * `starting` and `draining` wait for the engine; `waiting` for `retryAt`; `drained` for a lease write; `halted` and
   * `paused` for an operator.
   */
  phase: 'starting' | 'running' | 'draining' | 'drained' | 'waiting' | 'halted' | 'paused';
  /** When the phase began. */
  since: number;
  retryAt: number;
  /** For a partition that is drained for a resize: its position and the order, once the position is certain. */
  settled: Closing | null;
  /** True while the request to settle the position is in flight. */
  settling: boolean;
  /** Revision of the layout when its last drain began. */
  drainedUnder: number;
  /** True if it was paused under this epoch: its start is then not reported as an acquisition. */
  rested: boolean;
  /** True if its drain failed: it is drained only once more. */
  drainFailed: boolean;
  /** Owners whose deaths its position may have to count; null if there are none, or the position has counted them. */
  died: DeadOwners | null;
  /** A request to give the partition away: to this name or id, or (`to` null) to the member with the fewest partitions. */
  release: { to: string | null } | null;
  reason: LeaseReason;
  from: string | null;
}

/** A lease write in flight (`retryAt` infinite), or waiting for another try. */
export interface LeaseWrite {
  expected: number;
  retryAt: number;
}

/** This member's own proof of life. Revision 0: not created yet. */
export interface OwnProof {
  revision: number;
  /** When the last confirmed write was sent. */
  certainAt: number;
  /** All partitions are aborted at this time. */
  deadline: number;
  renewAt: number;
  /** The write in flight: when it was sent, and the expected revision. */
  writing: { since: number; expected: number } | null;
  /** When the first write of unknown outcome since the last confirmed write was sent. */
  unknownSince: number | null;
  /** A read that explains a conflict is in flight. */
  reading: boolean;
}

/** This member's own session. Revision 0: not created yet. */
export interface OwnSession {
  id: string | null;
  revision: number;
  proof: OwnProof;
  writing: boolean;
  /** Not to be written or removed before this time. */
  writeAt: number;
  /** An unknown write may have been applied. */
  inDoubt: boolean;
  /** A read that explains a conflict is in flight. */
  reading: boolean;
  /** The entry is marked as leaving. */
  marked: boolean;
  removing: boolean;
  /** The deadline passed and the partitions were aborted. */
  expired: boolean;
}

/** The layout of a group, as far as a member knows it. */
export interface KnownLayout {
  /** How often the group was resized. */
  epoch: number;
  /** The revision of the layout entry. */
  revision: number;
  /** null: the partitions are those of the stream's own layout. */
  record: GroupLayoutRecord | null;
  /** A read is in flight. */
  looking: boolean;
  /** The next layout is not written before this time; infinite while a write is in flight. */
  writeAt: number;
}

/** Everything that the protocol knows. Built by `initialState`; changed only by `step`. */
export interface State {
  readonly group: string;
  /** The number of partitions of the layout. */
  partitions: number;
  /** The layout of a keyed group as last seen; revision 0: none. */
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
  /** A leaving member reserves its partitions for this long; 0: no reservation. */
  rejoinWithinMs: number;
  left: boolean;
  session: OwnSession;
  interrupted: boolean;
  permit: number;
  peers: Map<string, Peer>;
  leases: Map<number, { revision: number; record: LeaseRecord | 'unreadable' | null }>;
  /** Operators' overrides by partition. An unreadable entry has no effect. */
  overrides: Map<number, { revision: number; record: OverrideRecord | 'unreadable' | null }>;
  /** Sessions whose deletion the watch has not shown yet. */
  buried: Map<string, number>;
  /** Members whose session is missing, but not deleted. */
  absent: Set<string>;
  /** Sessions that have certainly ended, the newest last. */
  gone: Set<string>;
  /** Owners that the watch never showed, and when to ask for them; infinite while a request is in flight. */
  lookUps: Map<string, number>;
  /** The session under which we were fenced, until the view knows it again or it has ended; null if there is none. */
  former: string | null;
  /** The session that this member gave up last because the bucket went back; null if there is none. */
  gaveUp: string | null;
  /** Owners without a session that have a proof of life: at which revision and since when. */
  unseen: Map<string, { revision: number; since: number }>;
  own: Map<number, OwnPartition>;
  /** The epoch under which each partition was last handled here. */
  had: Map<number, number>;
  /** Reserved partitions: until when, on this member's clock. */
  reserved: Map<number, number>;
  /** Leases that this member answers for and that the bucket has lost: they are written again unchanged. */
  lost: Map<number, LeaseRecord>;
  /** Leases that the leader showed at an older revision than known, with the known revision. */
  receded: Map<number, number>;
  /** Overrides that the leader showed at an older revision than known, and since when. */
  doubted: Map<number, number>;
  /** What {@link lookAtEntries} read last: the lease and the override of a partition, the session of a member. */
  lookedAt: { partition: number; override: number; peer: string };
  /** When the next entries are read. */
  lookAt: number;
  writes: Map<number, LeaseWrite>;
  settleUntil: number;
  /** Nothing is claimed before this time; see `holdClaims`. */
  holdUntil: number;
  settleSince: number;
  probing: boolean;
  /** The other members in the order of observation; null: to be computed. */
  ring: Peer[] | null;
  /** Something changed that affects the plan or the partitions. */
  dirty: boolean;
  /** Time of the last plan. */
  reconciledAt: number;
  /** A plan is due once the group has settled. */
  unsettled: boolean;
  wakeAt: number;
  random: number;
  readonly out: Effect[];
}

/** Number of ended sessions remembered. The leader is asked about older sessions if needed. */
const MOST_GONE = 4_096;

/** A session has certainly ended, and never returns. */
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

/** Asks to be woken at `at`; the earliest time of a step counts. */
export function wake(state: State, at: number): void {
  if (at < state.wakeAt) state.wakeAt = at;
}

/** True from `at` on. Before that, asks to be woken at `at`. */
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
