import type { EventOf } from './events.js';
import { applyLayout, isClosed, lookUpLayout } from './known-layout.js';
import { writeLease } from './lease-writes.js';
import { versionIn } from './record-format.js';
import { isDue, type OwnPartition, report, type State } from './state.js';

/*
 * Changes the number of partitions while the group runs. An order in the layout makes every owner drain and close its partitions. Then a
 * member writes the next layout. Each step is a compare-and-set, so the resize can be interrupted after any step.
 */

/** Closes a drained partition for the resize order. Its position must be certain first. */
export function close(state: State, partition: number, own: OwnPartition): void {
  const { settled } = own;
  if (settled?.order === state.layout.revision) {
    const closed = { owner: null, name: '', reason: 'release', from: state.name, closed: settled } as const;
    writeLease(state, partition, own.epoch, closed);
    return;
  }
  if (own.settling || !isDue(state, own.retryAt)) return;
  own.settling = true;
  const { revision: order } = state.layout;
  // No seek begins while a resize order exists. So no seek has moved the position since a drain that began under this order.
  const isDrained = own.drainedUnder === order;
  state.out.push({ type: 'settle-position', partition, epoch: own.epoch, order, isDrained });
}

/** Handles the answer to `settle-position`. */
export function positionSettled(
  state: State,
  { partition, epoch, order, position, message }: EventOf<'position-settled'>,
): void {
  const own = state.own.get(partition);
  if (own?.epoch !== epoch) return;
  own.settling = false;
  state.dirty = true;
  if (position) own.settled = { ...position, order };
  else {
    own.retryAt = state.now + state.timing.retryMs;
    report(state, { type: 'retrying', partition, epoch, message: message ?? '' });
  }
}

/** Writes the next layout when every partition is closed. Several members may try, but only the first write succeeds. */
export function cut(state: State): void {
  const { layout } = state;
  const { record, revision: expected } = layout;
  if (!record?.next || !isDue(state, layout.writeAt)) return;
  const positions: number[] = [];
  let trimmed = 0;
  let created: number | undefined;
  for (let partition = 0; partition < state.partitions; partition++) {
    if (!isClosed(state, partition)) return;
    const lease = state.leases.get(partition)?.record;
    const closed = lease && lease !== 'unreadable' ? lease.closed : undefined;
    if (!closed) return;
    positions.push(closed.seq);
    trimmed += closed.trimmed ?? 0;
    created ??= closed.created;
  }
  const { key, filter, hash, prefix, epoch = 0, next, partitions } = record;
  const before = {
    partitions,
    positions,
    ...(created !== undefined && { created }),
    ...(trimmed > 0 && { trimmed }),
  };
  layout.writeAt = Number.POSITIVE_INFINITY;
  state.out.push({
    type: 'write-layout',
    expected,
    record: {
      v: versionIn(epoch + 1),
      key,
      filter,
      partitions: next.partitions,
      hash,
      epoch: epoch + 1,
      ...(prefix !== undefined && { prefix }),
      before,
    },
  });
}

/** Handles the answer to `write-layout`. */
export function layoutWritten(state: State, { expected, record, outcome }: EventOf<'layout-written'>): void {
  if (outcome.kind === 'ok') {
    applyLayout(state, { kind: 'layout', revision: outcome.revision, record });
    return;
  }
  if (state.layout.revision !== expected) return;
  // Perhaps only the answer was lost, another member wrote first, or the order was withdrawn.
  state.layout.writeAt = state.now + state.timing.retryMs;
  state.dirty = true;
  lookUpLayout(state);
}
