import { assign, compare, type Holding, type Plan } from './assign.js';
import type { Written } from './events.js';
import { type LeaseReason, type LeaseRecord, RECORD_VERSION } from './records.js';
import { isAlive, isPaused, type OwnPartition, report, type State, wake } from './state.js';
import { applyLease } from './view.js';

/**
 * Brings the own partitions in line with the view and the plan. A member acts on its own part only: it starts
 * what it owns, gives away its surplus, claims the orphans that the plan gives to it. Compare-and-set settles
 * what a stale view got wrong.
 */
export function reconcile(state: State): void {
  retryDue(state);
  if (!state.viewReady || !isAlive(state) || !state.connected) return;
  const settled = state.now >= state.settleUntil || state.leaving;
  if (!settled) wake(state, state.settleUntil);
  else if (state.unsettled) state.dirty = true;
  if (!state.dirty) return;
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
  forgetWrites(state);
}

function hasDrained(state: State): boolean {
  for (const own of state.own.values()) if (own.phase === 'drained') return true;
  return false;
}

/** Takes up what had to wait for a time. */
function retryDue(state: State): void {
  for (const own of state.own.values()) {
    if (own.phase !== 'waiting') continue;
    if (state.now >= own.retryAt) state.dirty = true;
    else wake(state, own.retryAt);
  }
  for (const write of state.writes.values()) {
    if (state.now >= write.retryAt) state.dirty = true;
    else wake(state, write.retryAt);
  }
}

/** Forgets the writes that the plan no longer asks for, except those that may still take something from us. */
function forgetWrites(state: State): void {
  for (const [partition, write] of state.writes) {
    if (state.now < write.retryAt) continue;
    const lease = state.leases.get(partition);
    if (lease && lease.revision === write.expected && state.own.has(partition)) {
      write.retryAt = state.now + state.timing.retryMs;
    } else state.writes.delete(partition);
  }
}

/** True while a write of ours may be on its way that ends this epoch: nothing may run under it any more. */
function isInDoubt(state: State, partition: number, epoch: number): boolean {
  return state.writes.get(partition)?.expected === epoch;
}

/** What the leases say about us decides what runs here. */
function followView(state: State): void {
  for (const [partition, own] of state.own) {
    const lease = state.leases.get(partition);
    if (!lease || lease.revision <= own.epoch) continue;
    state.own.delete(partition);
    const record = lease.record === 'unreadable' ? null : lease.record;
    if (own.phase === 'drained' && record?.owner !== state.session.id) {
      const tookMs = state.now - own.since;
      if (record?.owner) {
        report(state, { type: 'handed-over', partition, epoch: own.epoch, to: record.name, tookMs });
      } else report(state, { type: 'released', partition, epoch: own.epoch });
    } else if (own.phase !== 'drained') {
      state.out.push({ type: 'abort-partition', partition, epoch: own.epoch, reason: 'lost' });
      report(state, { type: 'lost', partition, epoch: own.epoch, reason: 'lost' });
    }
  }
  for (const [partition, { revision, record }] of state.leases) {
    if (record === null || record === 'unreadable' || record.owner !== state.session.id) continue;
    if (partition >= state.partitions) continue;
    const own = state.own.get(partition);
    if (!own) adopt(state, partition, revision, record);
    else if (own.phase === 'waiting' && state.now >= own.retryAt) start(state, partition, own);
  }
}

/** A lease has become ours: by our claim, or because its owner handed it to us. */
function adopt(state: State, partition: number, epoch: number, record: LeaseRecord): void {
  const { reason, from } = record;
  const own: OwnPartition = {
    epoch,
    phase: 'starting',
    since: state.now,
    retryAt: 0,
    rested: false,
    release: null,
    reason,
    from,
  };
  state.own.set(partition, own);
  // A leaver that is given one more has nothing to drain: it passes it on.
  if (state.leaving || isInDoubt(state, partition, epoch)) own.phase = 'drained';
  else startOrRest(state, partition, own);
}

function startOrRest(state: State, partition: number, own: OwnPartition): void {
  if (isPaused(state, partition)) rest(state, partition, own);
  else start(state, partition, own);
}

/** Owned and not handled, until somebody lifts the pause. */
function rest(state: State, partition: number, own: OwnPartition): void {
  own.phase = 'paused';
  own.rested = true;
  own.since = state.now;
  report(state, { type: 'paused', partition, epoch: own.epoch });
}

/** Stops what somebody has paused since, and starts what nobody wants to rest any more. */
function followPauses(state: State): void {
  if (state.overrides.size === 0) return;
  for (const [partition, own] of state.own) {
    const paused = isPaused(state, partition);
    if (own.phase === 'paused' && !paused) {
      report(state, { type: 'unpaused', partition, epoch: own.epoch });
      start(state, partition, own);
    } else if (paused && (own.phase === 'running' || own.phase === 'starting')) drain(state, partition, own);
    else if (paused && (own.phase === 'waiting' || own.phase === 'halted')) rest(state, partition, own);
  }
}

function drain(state: State, partition: number, own: OwnPartition): void {
  own.phase = 'draining';
  own.since = state.now;
  state.out.push({ type: 'drain-partition', partition, epoch: own.epoch });
}

function start(state: State, partition: number, own: OwnPartition): void {
  own.phase = 'starting';
  own.since = state.now;
  state.out.push({ type: 'start-partition', partition, epoch: own.epoch });
}

/** The members that the plan counts on, with their names. */
function planMembers(state: State): Map<string, string> {
  const members = new Map<string, string>();
  if (!state.leaving && state.session.id !== null) members.set(state.session.id, state.name);
  for (const { id, record } of state.peers.values()) {
    if (record !== 'unreadable' && !record.leaving) members.set(id, record.name);
  }
  return members;
}

/** Every partition but those whose lease cannot be read: these stay with whoever wrote them. */
function* holdings(state: State, members: ReadonlyMap<string, string>): Iterable<Holding> {
  const pins = pinnedTo(state, members);
  for (let partition = 0; partition < state.partitions; partition++) {
    const lease = state.leases.get(partition);
    if (lease?.record === 'unreadable') continue;
    const pin = pins.get(partition) ?? null;
    yield { partition, owner: lease?.record?.owner ?? null, epoch: lease?.revision ?? 0, pin };
  }
}

/** The member that each pinned partition is to be with, of those that are there; of several of a name the first by id. */
function pinnedTo(state: State, members: ReadonlyMap<string, string>): Map<number, string> {
  const pins = new Map<number, string>();
  if (state.overrides.size === 0) return pins;
  const byName = new Map<string, string>();
  for (const id of [...members.keys()].sort(compare)) {
    byName.set(id, id);
    const name = members.get(id) ?? '';
    if (!byName.has(name)) byName.set(name, id);
  }
  for (const [partition, { record }] of state.overrides) {
    const wanted = record === 'unreadable' ? null : (record?.pin ?? null);
    const id = wanted === null ? undefined : byName.get(wanted);
    if (id !== undefined) pins.set(partition, id);
  }
  return pins;
}

/** Drains what the plan gives to others, and what somebody asked for. */
function giveAway(state: State, plan: Plan, members: Map<string, string>): void {
  // Others have to know first that we leave, or they would give theirs to us, who have so few. A mark that was
  // sent is enough, as it comes before the leases, unless a write before it makes it fail.
  if (state.leaving && (!state.session.marked || state.session.unknownSince !== null)) return;
  for (const [partition, own] of state.own) {
    if (own.phase === 'draining' || own.phase === 'drained') continue;
    const to = plan.get(partition);
    const surplus = state.leaving || (to !== undefined && to !== state.session.id && members.has(to));
    if (!surplus && !own.release) continue;
    if (own.phase === 'waiting' || own.phase === 'halted' || own.phase === 'paused') {
      own.phase = 'drained';
      own.since = state.now;
    } else drain(state, partition, own);
  }
}

/** Claims the orphans that the plan gives to us. */
function claim(state: State, plan: Plan): void {
  if (state.leaving) return;
  for (const [partition, to] of plan) {
    if (to !== state.session.id || state.own.has(partition)) continue;
    const lease = state.leases.get(partition);
    const record = lease?.record === 'unreadable' ? null : lease?.record;
    // Whoever still has a session gives its partition away itself.
    if (record?.owner && (record.owner === state.session.id || state.peers.has(record.owner))) continue;
    writeLease(state, partition, lease?.revision ?? 0, to, state.name, 'claim', record?.name || null);
  }
}

/** Passes drained partitions on, or takes them up again where the plan has changed meanwhile. */
function finishDrained(state: State, plan: Plan, members: Map<string, string>): void {
  for (const [partition, own] of state.own) {
    if (own.phase !== 'drained') continue;
    const to = receiver(state, partition, own, plan, members);
    if (to === state.session.id && !own.release && !isInDoubt(state, partition, own.epoch)) {
      startOrRest(state, partition, own);
    } else {
      const reason: LeaseReason = own.release || to === null ? 'release' : 'handover';
      const name = to === null ? '' : (members.get(to) ?? '');
      writeLease(state, partition, own.epoch, to, name, reason, state.name);
    }
  }
}

/** Who gets a drained partition: whoever was asked for, else whoever the plan says; null: nobody is there. */
function receiver(
  state: State,
  partition: number,
  own: OwnPartition,
  plan: Plan,
  members: Map<string, string>,
): string | null {
  if (own.release) {
    const { to } = own.release;
    for (const [id, name] of members) {
      if (to !== null && (name === to || id === to)) return id;
    }
    return leastLoaded(state, plan, members) ?? (state.leaving ? null : state.session.id);
  }
  const planned = plan.get(partition);
  if (planned !== undefined && members.has(planned)) return planned;
  return state.leaving ? null : state.session.id;
}

/** The other member to which the plan gives fewest; the first by id among equals. */
function leastLoaded(state: State, plan: Plan, members: Map<string, string>): string | undefined {
  const loads = new Map<string, number>();
  for (const id of [...members.keys()].sort()) if (id !== state.session.id) loads.set(id, 0);
  for (const id of plan.values()) {
    const load = loads.get(id);
    if (load !== undefined) loads.set(id, load + 1);
  }
  let least: string | undefined;
  for (const [id, load] of loads) {
    if (least === undefined || load < (loads.get(least) ?? 0)) least = id;
  }
  return least;
}

function writeLease(
  state: State,
  partition: number,
  expected: number,
  owner: string | null,
  name: string,
  reason: LeaseReason,
  from: string | null,
): void {
  const pending = state.writes.get(partition);
  if (pending && state.now < pending.retryAt) return;
  state.writes.set(partition, { expected, retryAt: Number.POSITIVE_INFINITY });
  state.out.push({
    type: 'write-lease',
    partition,
    expected,
    record: { v: RECORD_VERSION, owner, name, reason, from },
  });
}

/** Handles the answer to `write-lease`. */
export function leaseWritten(
  state: State,
  partition: number,
  expected: number,
  record: LeaseRecord,
  outcome: Written,
): void {
  const write = state.writes.get(partition);
  // Whatever the outcome, the next write may have waited for it, even if the watch was faster to tell.
  state.dirty = true;
  if (outcome.kind === 'ok') {
    if (write?.expected === expected) state.writes.delete(partition);
    applyLease(state, { kind: 'lease', partition, revision: outcome.revision, record });
    return;
  }
  if (write?.expected !== expected) return;
  // Whether it was applied, or somebody else was faster, the watch will tell; until then the same write again
  // is safe, because it is conditional.
  write.retryAt = state.now + state.timing.retryMs;
  if ((state.leases.get(partition)?.revision ?? 0) > expected) {
    state.writes.delete(partition);
  }
}

/** The own partition that an event of the shell is about, unless it is about an epoch that is over. */
function current(state: State, partition: number, epoch: number): OwnPartition | undefined {
  const own = state.own.get(partition);
  return own?.epoch === epoch ? own : undefined;
}

/** The shell reads and handles. */
export function partitionStarted(state: State, partition: number, epoch: number): void {
  const own = current(state, partition, epoch);
  if (own?.phase !== 'starting') return;
  const tookMs = state.now - own.since;
  own.phase = 'running';
  own.since = state.now;
  if (own.rested) return;
  report(state, { type: 'acquired', partition, epoch, from: own.from, reason: own.reason, tookMs });
}

/** The shell has stopped handling and committed what it could. */
export function partitionDrained(state: State, partition: number, epoch: number): void {
  const own = current(state, partition, epoch);
  if (own?.phase !== 'draining') return;
  own.phase = 'drained';
  state.dirty = true;
}

/** The shell cannot go on for now, or its epoch is over though we have not seen by whom. */
export function partitionFailed(state: State, partition: number, epoch: number, message: string): void {
  const own = current(state, partition, epoch);
  if (!own || own.phase === 'drained') return;
  report(state, { type: 'retrying', partition, epoch, message });
  own.phase = own.phase === 'draining' ? 'drained' : 'waiting';
  own.retryAt = state.now + state.timing.retryMs;
  state.dirty = true;
}

/** The handler has given up: the partition rests here until somebody releases it or this member ends. */
export function partitionHalted(state: State, partition: number, epoch: number, message: string): void {
  const own = current(state, partition, epoch);
  if (!own || own.phase === 'drained') return;
  report(state, { type: 'halted', partition, epoch, message });
  own.phase = own.phase === 'draining' ? 'drained' : 'halted';
  state.dirty = true;
}

/** Somebody asks us to give a partition away. */
export function release(state: State, partition: number, to: string | null): void {
  const own = state.own.get(partition);
  if (!own) return;
  own.release = { to };
  state.dirty = true;
}
