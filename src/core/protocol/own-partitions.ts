import type { EventOf } from './events.js';
import { orderOf } from './known-layout.js';
import { isInDoubt } from './lease-writes.js';
import { isPaused } from './pauses.js';
import type { LeaseRecord } from './records.js';
import { type OwnPartition, report, type State } from './state.js';

/** Begins to own a partition whose lease now names this member, after a claim or a handover. */
export function adopt(state: State, partition: number, epoch: number, record: LeaseRecord): void {
  const { reason, from, died = null } = record;
  const own: OwnPartition = {
    epoch,
    phase: 'starting',
    since: state.now,
    retryAt: 0,
    settled: null,
    settling: false,
    drainedUnder: 0,
    rested: false,
    drainFailed: false,
    died,
    release: null,
    reason,
    from,
  };
  state.own.set(partition, own);
  if (isInDoubt(state, partition, epoch)) own.phase = 'drained';
  // The partition will be handed over or closed. It is drained first: messages that this member handled before its
  // session expired may not be committed yet.
  else if (state.leaving || orderOf(state)) drain(state, partition, own);
  else startOrRest(state, partition, own);
}

/** Starts a partition, unless an operator has paused it. */
export function startOrRest(state: State, partition: number, own: OwnPartition): void {
  if (isPaused(state, partition)) rest(state, partition, own);
  else start(state, partition, own);
}

/** Keeps a partition without handling it, until the pause is lifted. */
export function rest(state: State, partition: number, own: OwnPartition): void {
  own.phase = 'paused';
  own.rested = true;
  own.since = state.now;
  report(state, { type: 'paused', partition, epoch: own.epoch });
}

/** Tells the engine to take a partition over and handle it. */
export function start(state: State, partition: number, own: OwnPartition): void {
  own.phase = 'starting';
  own.drainFailed = false;
  own.since = state.now;
  state.out.push({ type: 'start-partition', partition, epoch: own.epoch, died: own.died });
}

/** Tells the engine to let running handlers finish, and to commit. */
export function drain(state: State, partition: number, own: OwnPartition): void {
  own.phase = 'draining';
  own.since = state.now;
  own.drainedUnder = state.layout.revision;
  state.out.push({ type: 'drain-partition', partition, epoch: own.epoch });
}

/** The partition of an event; undefined if this member does not own it under that epoch. */
function current(state: State, partition: number, epoch: number): OwnPartition | undefined {
  const own = state.own.get(partition);
  return own?.epoch === epoch ? own : undefined;
}

export function partitionStarted(state: State, { partition, epoch }: EventOf<'partition-started'>): void {
  const own = current(state, partition, epoch);
  if (own?.phase !== 'starting') return;
  const tookMs = state.now - own.since;
  own.phase = 'running';
  own.died = null;
  own.since = state.now;
  const again = isAgain(state, partition, own);
  state.had.set(partition, epoch);
  if (own.rested) return;
  report(state, { type: 'acquired', partition, epoch, from: own.from, reason: own.reason, again, tookMs });
}

/** True if this member was also the last owner, under the same epoch or in an earlier session. */
function isAgain({ had, name, peers }: State, partition: number, { epoch, from }: OwnPartition): boolean {
  if (had.get(partition) === epoch) return true;
  if (!had.has(partition) || from !== name) return false;
  // The name in `from` may also belong to another member.
  for (const { record } of peers.values()) if (record !== 'unreadable' && record.name === name) return false;
  return true;
}

export function partitionDrained(state: State, { partition, epoch }: EventOf<'partition-drained'>): void {
  const own = current(state, partition, epoch);
  if (own?.phase !== 'draining') return;
  own.phase = 'drained';
  state.dirty = true;
}

/** The partition failed for now. Or its epoch has ended, and this member has not seen the new owner yet. */
export function partitionFailed(
  state: State,
  { partition, epoch, message }: EventOf<'partition-failed'>,
): void {
  const own = current(state, partition, epoch);
  if (!own || own.phase === 'drained') return;
  report(state, { type: 'retrying', partition, epoch, message });
  state.dirty = true;
  // The drain failed, for example because the position was removed. Handled messages are not committed yet, so it is
  // repeated once.
  if (own.phase === 'draining' && !own.drainFailed) {
    own.drainFailed = true;
    drain(state, partition, own);
    return;
  }
  own.phase = own.phase === 'draining' ? 'drained' : 'waiting';
  own.retryAt = state.now + state.timing.retryMs;
}

/** Marks a partition as halted. This member keeps it, but starts it again only when an operator acts. */
export function partitionHalted(
  state: State,
  { partition, epoch, message }: EventOf<'partition-halted'>,
): void {
  const own = current(state, partition, epoch);
  if (!own || own.phase === 'drained') return;
  report(state, { type: 'halted', partition, epoch, message });
  own.phase = own.phase === 'draining' ? 'drained' : 'halted';
  state.dirty = true;
}

/** Starts a halted or waiting partition again, at an operator's request. */
export function retry(state: State, { partition }: EventOf<'retry'>): void {
  const own = state.own.get(partition);
  if (own?.phase !== 'halted' && own?.phase !== 'waiting') return;
  own.phase = 'waiting';
  own.retryAt = state.now;
  state.dirty = true;
}

export function release(state: State, { partition, to }: EventOf<'release'>): void {
  const own = state.own.get(partition);
  if (!own) return;
  own.release = { to };
  state.dirty = true;
}
