import type { AbortReason, Effect, Report } from './events.js';
import type { LeaseReason, LeaseRecord, OverrideRecord, SessionRecord } from './records.js';
import type { Timing } from './timing.js';

/** What a member knows about another one, and what it suspects. Times are this member's own clock. */
export interface Peer {
  id: string;
  /** Of its session. */
  revision: number;
  record: SessionRecord | 'unreadable';
  probeAt: number;
  probing: boolean;
  /** The last probe had no answer of it. */
  unanswered: boolean;
  /** "No responders" in a row, and when the first of them was received. */
  misses: number;
  missingSince: number;
  /** Its proof of life as last looked at; null: not known. */
  proof: SeenProof | null;
  lookAt: number;
  looking: boolean;
  /** A write that fences it is under way: of its proof of life, then of its session. */
  fencing: boolean;
  /** Not to be fenced again before this time. */
  fenceAt: number;
}

/** Somebody's proof of life: first and last seen at this revision at these times. */
export interface SeenProof {
  revision: number;
  since: number;
  seenAt: number;
  /** It was deleted: no renewal succeeds any more. */
  ended: boolean;
}

/** A partition that this member owns, or is about to have given away. */
export interface OwnPartition {
  epoch: number;
  /**
   * `starting` and `draining` wait for the shell; `waiting` for `retryAt`; `drained` for a lease write;
   * `halted` and `paused` for a human being.
   */
  phase: 'starting' | 'running' | 'draining' | 'drained' | 'waiting' | 'halted' | 'paused';
  /** When the phase began. */
  since: number;
  retryAt: number;
  /** It was at rest under this epoch: people know already who has it. */
  rested: boolean;
  /** It could not be drained: it is drained once more, and no more than that. */
  drainFailed: boolean;
  /** Somebody asked for it to be given away: to this name, or to whoever has least. */
  release: { to: string | null } | null;
  reason: LeaseReason;
  from: string | null;
}

/** A lease write that is under way (`retryAt` infinite), or that has to wait before another try. */
export interface LeaseWrite {
  expected: number;
  retryAt: number;
}

/** This member's own proof of life. Revision 0: not created yet. */
export interface OwnProof {
  revision: number;
  /** When the last write that is certain was sent. */
  certainAt: number;
  /** All partitions are aborted at this time. */
  deadline: number;
  renewAt: number;
  /** The write that is under way: since when, and at which revision. */
  writing: { since: number; expected: number } | null;
  /** When the first write since the last certain one was sent, of which the outcome is unknown. */
  unknownSince: number | null;
  /** A conflict has to be explained by reading. */
  reading: boolean;
}

/** This member's own session. Revision 0: not created yet. */
export interface OwnSession {
  id: string | null;
  revision: number;
  proof: OwnProof;
  writing: boolean;
  /** Not to be written or removed again before this time. */
  writeAt: number;
  /** A write may have been applied that we do not know of. */
  inDoubt: boolean;
  /** A conflict has to be explained by reading. */
  reading: boolean;
  /** The entry says that we are leaving. */
  marked: boolean;
  removing: boolean;
  /** The deadline passed and the partitions were aborted. */
  expired: boolean;
}

/** Everything that the protocol knows. Built by {@link initialState}; handled only by `step`. */
export interface State {
  readonly group: string;
  readonly partitions: number;
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
  left: boolean;
  session: OwnSession;
  interrupted: boolean;
  permit: number;
  peers: Map<string, Peer>;
  leases: Map<number, { revision: number; record: LeaseRecord | 'unreadable' | null }>;
  /** What operators want of partitions. An entry that cannot be read wants nothing. */
  overrides: Map<number, { revision: number; record: OverrideRecord | 'unreadable' | null }>;
  /** Deleted sessions whose deletion the watch has not shown yet. */
  buried: Map<string, number>;
  /** Members whose session is not there, and not deleted either. */
  absent: Set<string>;
  /** Sessions that have certainly ended, the newest last. */
  gone: Set<string>;
  /** Owners that no entry has shown: when to ask for them, infinite while a question is under way. */
  lookUps: Map<string, number>;
  /** Owners without a session whose proof of life is there, at which revision and since when. */
  unseen: Map<string, { revision: number; since: number }>;
  own: Map<number, OwnPartition>;
  /** Leases that this member answers for and that the bucket has lost: to be written again as they were. */
  lost: Map<number, LeaseRecord>;
  /** What was looked at last, to see that it is still there: the lease of a partition, the session of a member. */
  lookedAt: { partition: number; peer: string };
  /** When the next ones are looked at. */
  lookAt: number;
  writes: Map<number, LeaseWrite>;
  settleUntil: number;
  /** Nothing is claimed before: see `holdClaims`. */
  holdUntil: number;
  settleSince: number;
  probing: boolean;
  /** The other members in the order in which this one looks after them; null: it has to be made anew. */
  ring: Peer[] | null;
  /** Something changed that the plan or the partitions depend on. */
  dirty: boolean;
  /** When the own partitions were last brought in line. */
  reconciledAt: number;
  /** A plan is due once the group has settled. */
  unsettled: boolean;
  wakeAt: number;
  random: number;
  readonly out: Effect[];
}

const freshSession = (): OwnSession => ({
  id: null,
  revision: 0,
  proof: {
    revision: 0,
    certainAt: Number.NEGATIVE_INFINITY,
    deadline: Number.NEGATIVE_INFINITY,
    renewAt: Number.NEGATIVE_INFINITY,
    writing: null,
    unknownSince: null,
    reading: false,
  },
  writing: false,
  writeAt: Number.NEGATIVE_INFINITY,
  inDoubt: false,
  reading: false,
  marked: false,
  removing: false,
  expired: false,
});

/** Who a member is before it has joined; `seed` drives its jitter. */
export interface Identity {
  group: string;
  name: string;
  partitions: number;
  timing: Timing;
  seed: number;
}

/** A member that has not joined and is not connected. */
export function initialState({ group, name, partitions, timing, seed }: Identity): State {
  return {
    group,
    partitions,
    name,
    timing,
    now: Number.NEGATIVE_INFINITY,
    connected: false,
    connectedAt: Number.NEGATIVE_INFINITY,
    reconnected: false,
    viewReady: false,
    watchRevision: 0,
    identifying: false,
    leaving: false,
    left: false,
    session: freshSession(),
    interrupted: false,
    permit: Number.NEGATIVE_INFINITY,
    peers: new Map(),
    leases: new Map(),
    overrides: new Map(),
    buried: new Map(),
    absent: new Set(),
    gone: new Set(),
    lookUps: new Map(),
    unseen: new Map(),
    own: new Map(),
    lost: new Map(),
    lookedAt: { partition: -1, peer: '' },
    lookAt: Number.NEGATIVE_INFINITY,
    writes: new Map(),
    settleUntil: Number.NEGATIVE_INFINITY,
    holdUntil: Number.NEGATIVE_INFINITY,
    settleSince: Number.NEGATIVE_INFINITY,
    probing: timing.probeEveryMs > 0,
    ring: null,
    dirty: false,
    reconciledAt: Number.NEGATIVE_INFINITY,
    unsettled: false,
    wakeAt: Number.POSITIVE_INFINITY,
    random: seed >>> 0,
    out: [],
  };
}

/** So many ended sessions are remembered; of an older one the leader is asked again, where it matters. */
const MOST_GONE = 4_096;

/** A session has certainly ended, and will never be there again. */
export function markGone(state: State, id: string): void {
  state.gone.delete(id);
  state.gone.add(id);
  if (state.gone.size <= MOST_GONE) return;
  for (const oldest of state.gone) {
    state.gone.delete(oldest);
    return;
  }
}

/** Adds a report to what this step puts out. */
export function report(state: State, what: Report): void {
  state.out.push({ type: 'report', report: what });
}

/** Asks to be woken at `at`; the earliest of a step counts. */
export function wake(state: State, at: number): void {
  if (at < state.wakeAt) state.wakeAt = at;
}

/** A number from 0 to 1, from the state's own seed (mulberry32), so that a run can be replayed. */
export function random(state: Pick<State, 'random'>): number {
  state.random = (state.random + 0x6d2b79f5) >>> 0;
  let t = state.random;
  t = Math.imul(t ^ (t >>> 15), t | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
}

/** True while the session exists as far as we can know, and the deadline has not passed. */
export function isAlive({ session, now }: State): boolean {
  return session.revision > 0 && !session.removing && now < session.proof.deadline;
}

/** True where somebody wants the partition to rest. */
export function isPaused(state: State, partition: number): boolean {
  const record = state.overrides.get(partition)?.record;
  return record !== undefined && record !== null && record !== 'unreadable' && record.paused;
}

/** Stops every partition at once, without a commit. */
export function abortAll(state: State, reason: AbortReason): void {
  for (const [partition, { epoch, phase }] of state.own) {
    if (phase !== 'drained') state.out.push({ type: 'abort-partition', partition, epoch, reason });
    report(state, { type: 'lost', partition, epoch, reason });
  }
  state.own.clear();
  state.dirty = true;
}

/** Forgets the session; the next one gets a new identity. */
export function resetSession(state: State): void {
  state.session = freshSession();
  state.identifying = false;
}
