import type { Finding } from '../core/admin/finding.js';
import type { GroupStatus } from '../core/admin/group-status.js';
import { type GroupRow, groupRowJson } from './groups-table.js';
import { round } from './json.js';

/** Maximum number of problems and of partitions in an answer. */
const MOST_LISTED = 100;

/** A group as the exporter knows it. */
export interface ExportedGroup extends GroupRow {
  suggestedMembers: number | null;
  arrivingPerSecond: number | null;
  memberPerSecond: number | null;
  /** Why the values may be old; null if the last reading succeeded. */
  stale: string | null;
  /** When the group was read, on this process's clock, in milliseconds. */
  readAt: number;
  status?: GroupStatus | undefined;
  findings: readonly Finding[];
}

/** A row of `/groups`. */
export function exportedRowJson(known: ExportedGroup, now: number): object {
  const { status: _, findings, suggestedMembers, arrivingPerSecond, memberPerSecond, ...rest } = known;
  const { readAt, stale, ...row } = rest;
  return {
    ...groupRowJson(row),
    suggestedMembers,
    arrivingPerSecond: round(arrivingPerSecond),
    memberPerSecond: round(memberPerSecond),
    problemCount: findings.length,
    ageMs: Math.round(now - readAt),
    stale,
  };
}

/** The answer of `/groups/NAME`. */
export function exportedGroupJson(stream: string, known: ExportedGroup, now: number): object {
  const { partitions = [] } = known.status ?? {};
  const heldUp = partitions.flatMap(({ partition, owner, holdUp }) =>
    holdUp === null ? [] : [{ partition, owner, ...holdUp }],
  );
  const paused = partitions.flatMap(({ partition, paused, pausedBy, pausedMs, lag }) =>
    paused ? [{ partition, pausedBy, pausedMs, lag }] : [],
  );
  return {
    stream,
    ...exportedRowJson(known, now),
    problems: known.findings.slice(0, MOST_LISTED),
    heldUp: heldUp.slice(0, MOST_LISTED),
    paused: paused.slice(0, MOST_LISTED),
  };
}
