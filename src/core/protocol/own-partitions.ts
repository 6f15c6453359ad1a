import { isInDoubt } from './lease-writes.js';
import type { LeaseRecord } from './records.js';
import { isPaused, type OwnPartition, report, type State } from './state.js';

/** A lease has become ours: by our claim, or because its owner handed it to us. */
export function adopt(state: State, partition: number, epoch: number, record: LeaseRecord): void {
  const { reason, from } = record;
  const own: OwnPartition = {
    epoch,
    phase: 'starting',
    since: state.now,
    retryAt: 0,
    rested: false,
    drainFailed: false,
    release: null,
    reason,
    from,
  };
  state.own.set(partition, own);
  if (isInDoubt(state, partition, epoch)) own.phase = 'drained';
  // A leaver passes it on; what it had handled before its session expired may not be committed yet.
  else if (state.leaving) drain(state, partition, own);
  else startOrRest(state, partition, own);
}

/** Takes it up, unless an operator wants it to rest. */
export function startOrRest(state: State, partition: number, own: OwnPartition): void {
  if (isPaused(state, partition)) rest(state, partition, own);
  else start(state, partition, own);
}

/** Owned and not handled, until somebody lifts the pause. */
export function rest(state: State, partition: number, own: OwnPartition): void {
  own.phase = 'paused';
  own.rested = true;
  own.since = state.now;
  report(state, { type: 'paused', partition, epoch: own.epoch });
}

/** The shell is to take it over and handle it. */
export function start(state: State, partition: number, own: OwnPartition): void {
  own.phase = 'starting';
  own.drainFailed = false;
  own.since = state.now;
  state.out.push({ type: 'start-partition', partition, epoch: own.epoch });
}

/** The shell is to finish what is in hand, and to commit. */
export function drain(state: State, partition: number, own: OwnPartition): void {
  own.phase = 'draining';
  own.since = state.now;
  state.out.push({ type: 'drain-partition', partition, epoch: own.epoch });
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
  state.dirty = true;
  // What was handled is not committed yet, for instance because its position has been taken away: once more.
  if (own.phase === 'draining' && !own.drainFailed) {
    own.drainFailed = true;
    drain(state, partition, own);
    return;
  }
  own.phase = own.phase === 'draining' ? 'drained' : 'waiting';
  own.retryAt = state.now + state.timing.retryMs;
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
