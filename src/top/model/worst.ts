import { isEstimate, isOwned, type LeaseStatus, needsAttention } from '../../core/admin/lease-status.js';
import { TROUBLED } from '../../core/admin/members.js';
import type { Model } from './model.js';
import { memberRows, partitionRows } from './select.js';

/** True unless it is certain that no messages wait. */
export const mayWait = ({ lag }: Pick<LeaseStatus, 'lag'>): boolean => lag !== 0;

/** The rank of a partition's state: 0 is the worst. Undefined if the state is normal. */
function severityOf(row: LeaseStatus): number | undefined {
  if (row.state === 'unreadable' || row.state === 'halted') return 0;
  if (row.state === 'idle') return undefined;
  if (row.state === 'reserved') return 3;
  if (!isOwned(row)) return mayWait(row) ? 1 : 4;
  if (needsAttention(row)) return 2;
  return row.holdUp ? 3 : undefined;
}

/** The partitions with a problem, the worst first. The order does not depend on the lag. */
export const troubledPartitions = (model: Model): LeaseStatus[] =>
  partitionRows(model)
    .flatMap((row) => {
      const severity = severityOf(row);
      return severity === undefined ? [] : [{ row, severity }];
    })
    .sort((a, b) => a.severity - b.severity || a.row.partition - b.row.partition)
    .map(({ row }) => row);

/** The partitions with the most waiting messages, at most `limit`. */
export const mostLag = (model: Model, limit: number): LeaseStatus[] =>
  partitionRows(model)
    .filter(({ lag }) => (lag ?? 0) > 0)
    .sort((a, b) => (b.lag ?? 0) - (a.lag ?? 0) || a.partition - b.partition)
    .slice(0, limit);

/** The session of the member in the worst state; undefined if no member is in trouble. */
export function troubledMember(model: Model): string | undefined {
  const members = memberRows(model);
  for (const state of TROUBLED) {
    const found = members.find((member) => member.state === state);
    if (found) return found.session;
  }
  return undefined;
}

/** True for a lag that the owner will not handle soon. An estimated lag says nothing about a single partition. */
export function isBehind(row: LeaseStatus): boolean {
  const { lag, ratePerSecond } = row;
  if (lag === null || lag < BEHIND || isEstimate(row)) return false;
  return !ratePerSecond || lag / ratePerSecond > BEHIND_S;
}

/** A lag below this number of messages is normal. */
const BEHIND = 100;
/** A lag is normal if it can be handled within this time, in seconds. */
const BEHIND_S = 10;
