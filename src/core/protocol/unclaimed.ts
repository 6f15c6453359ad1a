import type { Plan } from './assign.js';
import { longestTtl } from './begin-anew.js';
import { isClosed, leaseNow } from './known-layout.js';
import { ensureEnded } from './look-up.js';
import { isDue, type State } from './state.js';

/** How long another member may take to claim a partition, in ttls: one for its hold of claims, and one to be declared dead. */
const PATIENCE_TTLS = 2;

/** Notes the partitions without a living owner that the plan assigns to other members. */
export function noteUnclaimed(state: State, plan: Plan): void {
  const { unclaimed, now } = state;
  for (const [partition, to] of plan) {
    if (to === state.session.id || !isUnowned(state, partition)) {
      unclaimed.delete(partition);
      continue;
    }
    const revision = leaseNow(state, partition)?.revision ?? 0;
    if (unclaimed.get(partition)?.revision === revision) continue;
    const claimAt = now + PATIENCE_TTLS * longestTtl(state);
    unclaimed.set(partition, { revision, claimAt, isOverdue: false });
  }
  for (const partition of unclaimed.keys()) if (!plan.has(partition)) unclaimed.delete(partition);
}

function isUnowned(state: State, partition: number): boolean {
  if (state.own.has(partition) || state.lost.has(partition) || isClosed(state, partition)) return false;
  const record = leaseNow(state, partition)?.record;
  if (record === 'unreadable') return false;
  return !record?.owner || ensureEnded(state, record.owner);
}

/** Requests a plan when a partition becomes overdue. */
export function noticeOverdue(state: State): void {
  for (const each of state.unclaimed.values()) {
    if (each.isOverdue || !isDue(state, each.claimAt)) continue;
    each.isOverdue = true;
    state.dirty = true;
  }
}
