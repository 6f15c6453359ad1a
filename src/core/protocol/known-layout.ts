import type { EventOf, LayoutEntry } from './events.js';
import type { GroupLayoutRecord, ResizeOrder } from './layout-records.js';
import type { LeaseRecord } from './records.js';
import { report, type State } from './state.js';

/** The resize order in the layout; null if there is none. */
export const orderOf = ({ layout }: State): ResizeOrder | null => layout.record?.next ?? null;

/**
 * The lease of a partition under the layout that this member knows. A record of a later layout counts as
 * `unreadable`. A record of an earlier layout counts as null.
 */
export function leaseNow(
  state: State,
  partition: number,
): { revision: number; record: LeaseRecord | 'unreadable' | null } | undefined {
  const lease = state.leases.get(partition);
  if (!lease?.record || lease.record === 'unreadable') return lease;
  const { record, revision } = lease;
  const { layout } = state;
  if (isAhead(state, record)) return { revision, record: 'unreadable' };
  // All partitions of an earlier layout are closed.
  return (record.layout ?? 0) < layout.epoch ? { revision, record: null } : lease;
}

/** True if a lease shows that this member has missed a change of the layout. */
const isAhead = ({ layout }: State, { layout: epoch = 0, closed }: LeaseRecord): boolean =>
  epoch > layout.epoch || (epoch === layout.epoch && (closed?.order ?? 0) > layout.revision);

/**
 * True if a partition is closed for the current resize order. Its messages are not handled until the resize is done or
 * aborted.
 */
export function isClosed(state: State, partition: number): boolean {
  if (orderOf(state) === null) return false;
  const record = leaseNow(state, partition)?.record;
  return !!record && record !== 'unreadable' && record.closed?.order === state.layout.revision;
}

/** Applies a layout entry if it is newer than the known entry. */
export function applyLayout(state: State, { revision, record }: LayoutEntry): void {
  const { layout } = state;
  if (revision <= layout.revision || record === null) return;
  if (record === 'unreadable') {
    report(state, { type: 'unreadable', key: 'layout' });
    return;
  }
  const epoch = record.epoch ?? 0;
  // A newer entry with an older layout: the bucket was restored from an older copy; see `beginAnew`.
  if (epoch < layout.epoch) return;
  const before = orderOf(state);
  layout.revision = revision;
  layout.record = record;
  layout.writeAt = Number.NEGATIVE_INFINITY;
  state.dirty = true;
  if (epoch > layout.epoch) begin(state, record, epoch);
  else if (record.next) {
    const { partitions: to, by } = record.next;
    report(state, { type: 'resizing', from: state.partitions, to, by });
  } else if (before) report(state, { type: 'resize-aborted', partitions: state.partitions });
}

/**
 * Switches to the partitions of a new layout. All old partitions are closed. This member may not have seen that, and
 * aborts those that it still runs.
 */
function begin(state: State, record: GroupLayoutRecord, epoch: number): void {
  for (const [partition, own] of state.own) {
    if (own.phase === 'drained') continue;
    state.out.push({ type: 'abort-partition', partition, epoch: own.epoch, reason: 'resized' });
    report(state, { type: 'lost', partition, epoch: own.epoch, reason: 'resized' });
  }
  for (const known of [state.own, state.had, state.lost, state.receded, state.reserved, state.writes])
    known.clear();
  const { partitions: from } = state;
  state.layout.epoch = epoch;
  state.partitions = record.partitions;
  state.out.push({ type: 'begin-layout', record });
  report(state, { type: 'resized', from, to: record.partitions });
}

/** Reads the layout from the bucket's leader, unless a read is in flight. */
export function lookUpLayout(state: State): void {
  const { layout } = state;
  if (layout.looking) return;
  layout.looking = true;
  state.out.push({ type: 'look-up-layout' });
}

/** Handles the answer to `look-up-layout`. */
export function layoutLookedUp(state: State, { entry }: EventOf<'layout-looked-up'>): void {
  state.layout.looking = false;
  if (entry !== 'unknown' && entry !== null) applyLayout(state, entry);
}

/** Reads the layout if a lease shows that this member has missed a change of it. */
export function noticeMissedLayout(state: State, record: LeaseRecord | 'unreadable' | null): void {
  if (record && record !== 'unreadable' && isAhead(state, record)) lookUpLayout(state);
}
