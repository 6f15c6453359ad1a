import { assign, type Plan } from './assign.js';
import { restoreLeases } from './entry-looks.js';
import { isClosed, leaseNow, orderOf } from './known-layout.js';
import { forgetWrites, isInDoubt, writeLease } from './lease-writes.js';
import { ensureEnded, lookUpOwners, retryLookUps } from './look-up.js';
import { adopt, drain, rest, start, startOrRest } from './own-partitions.js';
import { isPaused } from './pauses.js';
import { holdings, planMembers, receiver } from './planning.js';
import { hasRenewed } from './proof.js';
import { type LeaseReason, MOST_DEAD } from './records.js';
import { endReservations, reservation } from './reservations.js';
import { close, cut } from './resize.js';
import { isAlive, isDue, report, type State } from './state.js';

/**
 * Between two plans, there is a pause of one millisecond for each 256 partitions. Each answer to a lease write requires
 * a plan, and a plan covers every partition.
 */
const PARTITIONS_A_MS = 256;

/**
 * Brings this member's partitions in line with the view and the plan. A member carries out only its own part of the
 * plan. It starts the partitions that it owns, and hands surplus partitions over. It claims partitions without a living
 * owner that the plan assigns to it. If its view is stale, the compare-and-set of its lease writes fails.
 */
export function reconcile(state: State): void {
  retryDue(state);
  if (!state.viewReady || !isAlive(state) || !state.connected) return;
  const settled = state.leaving || isDue(state, state.settleUntil);
  if (settled && state.unsettled) state.dirty = true;
  if (!state.dirty) return;
  const due = state.reconciledAt + Math.floor(state.partitions / PARTITIONS_A_MS);
  if (!isDue(state, due)) return;
  state.reconciledAt = state.now;
  state.dirty = false;
  state.unsettled = !settled;
  followView(state);
  if (!settled && !hasDrained(state)) return;
  const members = planMembers(state);
  const plan = assign(members.keys(), holdings(state, members));
  followPauses(state);
  if (settled) {
    giveAway(state, plan, members);
    claim(state, plan);
  }
  finishDrained(state, plan, members);
  cut(state);
  forgetWrites(state);
}

function hasDrained(state: State): boolean {
  for (const own of state.own.values()) if (own.phase === 'drained') return true;
  return false;
}

function retryDue(state: State): void {
  retryLookUps(state);
  endHold(state);
  endReservations(state);
  for (const own of state.own.values()) {
    const waits = own.phase === 'waiting' || (own.phase === 'drained' && orderOf(state) !== null);
    if (waits && own.retryAt > 0 && isDue(state, own.retryAt)) state.dirty = true;
  }
  const { writeAt } = state.layout;
  if (Number.isFinite(writeAt) && isDue(state, writeAt)) {
    state.layout.writeAt = Number.NEGATIVE_INFINITY;
    state.dirty = true;
  }
  for (const { retryAt } of state.writes.values()) if (isDue(state, retryAt)) state.dirty = true;
}

/** Ends the hold of claims when it is due. During the hold, this member claims nothing. */
function endHold(state: State): void {
  if (state.holdUntil === Number.NEGATIVE_INFINITY) return;
  if (!isDue(state, state.holdUntil)) return;
  state.holdUntil = Number.NEGATIVE_INFINITY;
  state.dirty = true;
}

/** Starts and stops partitions. The leases decide which partitions this member runs. */
function followView(state: State): void {
  for (const [partition, own] of state.own) {
    const lease = state.leases.get(partition);
    if (lease?.revision === own.epoch) continue;
    state.own.delete(partition);
    const record = lease?.record === 'unreadable' ? null : lease?.record;
    const isLeftBehind = lease === undefined || lease.revision < own.epoch;
    if (!isLeftBehind && own.phase === 'drained' && record?.owner !== state.session.id) {
      const tookMs = state.now - own.since;
      if (record?.owner) {
        report(state, { type: 'handed-over', partition, epoch: own.epoch, to: record.name, tookMs });
      } else {
        const keptForMs = record?.reserved?.forMs ?? null;
        report(state, { type: 'released', partition, epoch: own.epoch, keptForMs });
      }
    } else if (own.phase !== 'drained') {
      const reason = isLeftBehind ? 'went-back' : 'lost';
      state.out.push({ type: 'abort-partition', partition, epoch: own.epoch, reason });
      report(state, { type: 'lost', partition, epoch: own.epoch, reason });
    }
  }
  for (const [partition, { revision, record: stored }] of state.leases) {
    if (stored === null || stored === 'unreadable' || stored.owner !== state.session.id) continue;
    const record = leaseNow(state, partition)?.record;
    if (!record || record === 'unreadable' || partition >= state.partitions) continue;
    const own = state.own.get(partition);
    if (!own) adopt(state, partition, revision, record);
    else if (own.phase === 'waiting' && state.now >= own.retryAt) start(state, partition, own);
  }
}

function followPauses(state: State): void {
  for (const [partition, own] of state.own) {
    const paused = isPaused(state, partition);
    if (own.phase === 'paused' && !paused) {
      report(state, { type: 'unpaused', partition, epoch: own.epoch });
      start(state, partition, own);
    } else if (paused && (own.phase === 'running' || own.phase === 'starting')) drain(state, partition, own);
    else if (paused && (own.phase === 'waiting' || own.phase === 'halted')) rest(state, partition, own);
  }
}

/**
 * Drains the partitions that the plan assigns to other members, and those to be released. For a resize, or before this
 * member leaves, drains all partitions.
 */
function giveAway(state: State, plan: Plan, members: Map<string, string>): void {
  // Other members must first know that this member is leaving. Otherwise their plans would assign more partitions to it.
  // Normally it is enough that the mark is sent, because they receive it before the leases. But after a session write
  // with an unknown outcome, the mark may still fail. Then its confirmation is awaited.
  if (state.leaving && (!state.session.marked || state.session.inDoubt)) return;
  for (const [partition, own] of state.own) {
    if (own.phase === 'draining' || own.phase === 'drained') continue;
    const to = plan.get(partition);
    const surplus =
      orderOf(state) !== null ||
      state.leaving ||
      (to !== undefined && to !== state.session.id && members.has(to));
    if (!surplus && !own.release) continue;
    // Halted partitions are drained too: messages from before the failure may not be committed yet.
    drain(state, partition, own);
  }
}

function claim(state: State, plan: Plan): void {
  if (state.leaving) return;
  restoreLeases(state);
  lookUpOwners(state);
  // After a reconnect, the bucket may be an older copy, and other members may own these partitions. A confirmed renewal
  // proves that it is not.
  if (state.now < state.holdUntil || !hasRenewed(state)) return;
  for (const [partition, to] of plan) {
    if (to !== state.session.id || state.own.has(partition) || state.lost.has(partition)) continue;
    if (isClosed(state, partition)) continue;
    const lease = leaseNow(state, partition);
    const record = lease?.record === 'unreadable' ? null : lease?.record;
    // While its owner has a session, a partition is not claimed. The owner hands it over itself.
    if (record?.owner && !ensureEnded(state, record.owner)) continue;
    const from = (!hasReturned(state, record?.owner) && record?.name) || null;
    const expected = lease?.revision ?? 0;
    const before = record?.died;
    const died = from === null ? before : [...(before ?? []), expected].slice(-MOST_DEAD);
    const tags = died && { died };
    writeLease(state, partition, expected, { owner: to, name: state.name, reason: 'claim', from, ...tags });
  }
}

/**
 * True if the member of this session has joined again. It ended the session because the bucket lost data. It did not
 * die.
 */
function hasReturned({ gaveUp, peers }: State, session: string | null | undefined): boolean {
  if (!session) return false;
  if (session === gaveUp) return true;
  for (const { record } of peers.values())
    if (record !== 'unreadable' && record.gaveUp === session) return true;
  return false;
}

/** Hands drained partitions over, or closes them for a resize. If the plan has changed, starts them again. */
function finishDrained(state: State, plan: Plan, members: Map<string, string>): void {
  for (const [partition, own] of state.own) {
    if (own.phase !== 'drained') continue;
    if (orderOf(state)) {
      close(state, partition, own);
      continue;
    }
    const to = receiver(state, partition, own, plan, members);
    if (to === state.session.id && !own.release && !isInDoubt(state, partition, own.epoch)) {
      startOrRest(state, partition, own);
    } else {
      const reason: LeaseReason = own.release || to === null ? 'release' : 'handover';
      const name = to === null ? '' : (members.get(to) ?? '');
      const reserved = to === null && !own.release ? reservation(state) : undefined;
      const { died } = own;
      const tags = { ...(reserved && { reserved }), ...(died !== null && { died }) };
      writeLease(state, partition, own.epoch, { owner: to, name, reason, from: state.name, ...tags });
    }
  }
}
