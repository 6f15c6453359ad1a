import type { GroupStatus, LeaseStatus } from '../core/admin/group-status.js';
import { type MemberStatus, memberState, TROUBLED } from '../core/admin/members.js';
import { escapeControl, wrap } from '../core/lib/text.js';
import { formatCount, formatDuration, formatRate } from '../core/lib/units.js';
import { formatTable } from './table.js';

const NONE = '-';
/** The largest number of partitions named in one line. */
const NAMED = 8;

/** States of a partition that need no attention. */
const HEALTHY = new Set(['owned', 'running', 'idle', 'starting', 'draining', 'paused']);

/** True if no member makes progress in the partition, so that an operator should look. */
const needsAttention = ({ state }: LeaseStatus): boolean => !HEALTHY.has(state);

const count = (value: number | null): string => (value === null ? NONE : formatCount(value));
const duration = (ms: number | null): string => (ms === null ? NONE : formatDuration(ms));
const expiry = (ms: number | null): string =>
  ms === null ? NONE : ms < 0 ? `${formatDuration(-ms)} ago` : formatDuration(ms);

/**
 * The table of `leases`: one line per partition; `!` marks partitions that need attention, so that colour is not needed.
 *
 * @param width of the terminal; if it is too narrow, the least important columns are omitted.
 */
export function formatLeases({ leases }: GroupStatus, width?: number): string[] {
  const rows = leases.map((lease) => [
    `${needsAttention(lease) ? '!' : ' '} p${lease.partition}`,
    lease.owner ? escapeControl(lease.owner.name) : NONE,
    lease.owner?.host ? `${escapeControl(lease.owner.host)}:${lease.owner.pid ?? ''}` : NONE,
    lease.epoch === 0 ? NONE : String(lease.epoch),
    duration(lease.heldForMs),
    lease.position === null ? NONE : String(lease.position),
    lease.end === null ? NONE : String(lease.end),
    count(lease.lag),
    lease.rate === null ? NONE : formatRate(lease.rate),
    expiry(lease.expiresInMs),
    escapeControl(lease.pin === null ? lease.state : `${lease.state}, pinned to ${lease.pin}`),
  ]);
  const table = formatTable(
    [
      { title: '  PARTITION' },
      { title: 'OWNER' },
      { title: 'HOST:PID', giveWay: 5 },
      { title: 'EPOCH', align: 'right', giveWay: 4 },
      { title: 'HELD FOR', align: 'right', giveWay: 1 },
      { title: 'POSITION', align: 'right' },
      { title: 'END', align: 'right' },
      { title: 'LAG', align: 'right' },
      { title: 'RATE', align: 'right', giveWay: 3 },
      { title: 'EXPIRES IN', align: 'right', giveWay: 2 },
      { title: 'STATE' },
    ],
    rows,
    width,
  );
  return [...table, ...formatTrimmed(leases, width)];
}

/** One line with the number of messages that the stream dropped, for each partition that lost any. */
function formatTrimmed(leases: readonly LeaseStatus[], width = Number.POSITIVE_INFINITY): string[] {
  const trimmed = leases.filter((lease) => lease.trimmed > 0);
  if (trimmed.length === 0) return [];
  const named = trimmed.slice(0, NAMED).map((lease) => `p${lease.partition} ${formatCount(lease.trimmed)}`);
  const more = trimmed.length > NAMED ? ` and ${trimmed.length - NAMED} more` : '';
  return wrap(`! dropped by the stream before handled, at most: ${named.join(', ')}${more}`, width);
}

/** The number of members, and of those in trouble: `3 members (1 unreachable)`. */
function countMembers(members: readonly MemberStatus[]): string {
  const states = members.map(memberState);
  const troubled = TROUBLED.flatMap((state) => {
    const number = states.filter((each) => each === state).length;
    return number > 0 ? [`${number} ${state}`] : [];
  });
  const all = `${members.length} ${members.length === 1 ? 'member' : 'members'}`;
  return troubled.length > 0 ? `${all} (${troubled.join(', ')})` : all;
}

/** The group in one line: members, owned partitions, lag. */
export function summarise({ leases, members }: GroupStatus): string {
  const owned = leases.filter(({ owner }) => owner !== null).length;
  const troubled = leases.filter(needsAttention);
  const parts = [
    countMembers(members),
    `${owned} of ${leases.length} partitions owned`,
    `lag ${count(totalLag(leases))}`,
  ];
  if (troubled.length > 0) {
    const named = troubled
      .slice(0, NAMED)
      .map(({ partition, state }) => `p${partition} ${escapeControl(state)}`);
    const more = troubled.length > named.length ? ` and ${troubled.length - named.length} more` : '';
    parts.push(`needs attention: ${named.join(', ')}${more}`);
  }
  return parts.join(' · ');
}

/** The sum of the lags; null if one of them is unknown. */
export function totalLag(leases: readonly LeaseStatus[]): number | null {
  return leases.reduce<number | null>((sum, { lag }) => (sum === null || lag === null ? null : sum + lag), 0);
}

/** The status for `--json`: raw numbers, milliseconds, bytes. */
export function groupStatusJson(group: { stream: string; group: string }, status: GroupStatus): unknown {
  return {
    ...group,
    partitions: status.leases.length,
    owned: status.leases.filter(({ owner }) => owner !== null).length,
    lag: totalLag(status.leases),
    leases: status.leases.map((lease) => ({ ...lease, needsAttention: needsAttention(lease) })),
    members: status.members.map(memberJson),
  };
}

function memberJson({ stats, ...member }: MemberStatus): unknown {
  return {
    ...member,
    uptimeMs: stats?.uptimeMs ?? null,
    handled: stats?.handled ?? null,
    failed: stats?.failed ?? null,
    handlerTimes: stats?.handlerTimes ?? null,
    memory: stats?.memory ?? null,
  };
}
