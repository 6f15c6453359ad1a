import { describeHeirless, muteNotes, resizeNotes } from '../core/admin/check.js';
import { describePause } from '../core/admin/check-lease.js';
import {
  type GroupStatus,
  type GroupTotals,
  type ResizeStatus,
  totalsOf,
} from '../core/admin/group-status.js';
import type { Idle } from '../core/admin/idle.js';
import { isEstimate, type LeaseStatus, needsAttention } from '../core/admin/lease-status.js';
import { isDead, type MemberStatus, TROUBLED } from '../core/admin/members.js';
import type { Unread } from '../core/admin/unread.js';
import { escapeControl, wrap } from '../core/lib/text.js';
import { aboutCount, countOf, formatCount, formatDuration, formatRate } from '../core/lib/units.js';
import { describeUncovered } from '../core/member/status-lines.js';
import { describeHoldUp, holdUpState, isLong, remedyOf } from '../core/protocol/hold-up.js';
import { partitionList } from './partition-list.js';
import { formatTable } from './table.js';

const NONE = '-';
const BELOW = '    ';
/** At most this many partitions get a line with a command. */
const REMEDIES = 3;
/** At most this many partitions are listed in one line. */
const NAMED = 8;

const duration = (ms: number | null): string => (ms === null ? NONE : formatDuration(ms));
/** The time until a member expires, or the time since it expired. */
export const expiry = (ms: number | null): string =>
  ms === null ? NONE : ms < 0 ? `expired ${formatDuration(-ms)} ago` : formatDuration(ms);

/** The state of a partition and its pin: `running, pinned to a`, `retrying 7/100 in 12 s`, `kept for a, 9 s left`. */
export function stateText({
  state,
  pin,
  holdUp,
  ...lease
}: Pick<LeaseStatus, 'state' | 'pin' | 'holdUp' | 'reservedFor' | 'reservedMs'>): string {
  const kept =
    lease.reservedFor !== null && `kept for ${lease.reservedFor}, ${duration(lease.reservedMs)} left`;
  const shown = kept || ((holdUp && holdUpState(holdUp)) ?? state);
  return escapeControl(pin === null ? shown : `${shown}, pinned to ${pin}`);
}

/**
 * The table of `leases`: one line per partition. `!` marks partitions that need attention.
 *
 * @param width of the terminal. The least important columns are omitted if necessary.
 */
export function formatLeases(status: GroupStatus, width?: number): string[] {
  const { partitions, members, uncovered, resize } = status;
  const bySession = new Map(members.map((member) => [member.session, member]));
  const rows = partitions.map((lease) => {
    const member = bySession.get(lease.session ?? '');
    return [
      `${needsAttention(lease) ? '!' : ' '} p${lease.partition}`,
      lease.owner === null ? NONE : escapeControl(lease.owner),
      member?.host ? `${escapeControl(member.host)}:${member.pid}` : NONE,
      lease.epoch === 0 ? NONE : String(lease.epoch),
      duration(lease.heldMs),
      lease.position === null ? NONE : String(lease.position),
      lease.end === null ? NONE : String(lease.end),
      lease.lag === null ? NONE : aboutCount(lease.lag, isEstimate(lease)),
      duration(lease.oldestMs),
      lease.ratePerSecond === null ? NONE : formatRate(lease.ratePerSecond),
      expiry(member?.expiresInMs ?? null),
      stateText(lease),
    ];
  });
  const table = formatTable(
    [
      { title: '  PARTITION' },
      { title: 'OWNER' },
      { title: 'HOST:PID', rank: 1 },
      { title: 'EPOCH', align: 'right', rank: 2 },
      { title: 'HELD FOR', align: 'right', rank: 5 },
      { title: 'POSITION', align: 'right' },
      { title: 'END', align: 'right' },
      { title: 'LAG', align: 'right' },
      { title: 'OLDEST', align: 'right', rank: 6 },
      { title: 'RATE', align: 'right', rank: 3 },
      { title: 'EXPIRES IN', align: 'right', rank: 4 },
      { title: 'STATE' },
    ],
    rows,
    width,
  );
  const outside = uncovered
    ? wrap(`! ${describeUncovered(uncovered)}`, width ?? Number.POSITIVE_INFINITY)
    : [];
  const resizing = resize
    ? wrap(describeResizing(resize, partitions.length), width ?? Number.POSITIVE_INFINITY)
    : [];
  const below = formatHoldUps(partitions, width);
  const rowsBelow = table.flatMap((row, i) => [row, ...(below[i - 1] ?? [])]);
  return [
    ...rowsBelow,
    ...resizing,
    ...formatTrimmed(partitions, width),
    ...formatRemedies(partitions, width),
    ...[describeHeirless(status) ?? [], muteNotes(status), resizeNotes(status)]
      .flat()
      .flatMap((line) => wrap(line, width ?? Number.POSITIVE_INFINITY)),
    ...outside,
  ];
}

/** The lines below the row of each partition: its hold-up or pause. */
const formatHoldUps = (leases: readonly LeaseStatus[], width = Number.POSITIVE_INFINITY): string[][] =>
  leases.map((lease) => {
    const { holdUp, paused } = lease;
    if (paused) return [`${BELOW}${describePause(lease)}`];
    return holdUp
      ? wrap(describeHoldUp(holdUp), Math.max(20, width - BELOW.length)).map((line) => BELOW + line)
      : [];
  });

function formatRemedies(leases: readonly LeaseStatus[], width = Number.POSITIVE_INFINITY): string[] {
  return leases
    .flatMap(({ partition, holdUp }) =>
      holdUp && isLong(holdUp) ? [`p${partition}: ${remedyOf(partition, holdUp)}`] : [],
    )
    .slice(0, REMEDIES)
    .concat(formatResume(leases))
    .flatMap((line) => wrap(line, width));
}

function formatResume(leases: readonly LeaseStatus[]): string[] {
  const paused = leases.filter((lease) => lease.paused).map(({ partition }) => partition);
  if (paused.length === 0) return [];
  const those = paused.length === leases.length ? '--all' : partitionList(paused).replaceAll('p', '');
  return [`paused: "leases resume ${those}" continues ${paused.length === 1 ? 'it' : 'them'}`];
}

/** A resize that is in progress, as one line. */
export const describeResizing = ({ to, by, forMs, closed }: ResizeStatus, from: number): string =>
  `being resized from ${from} to ${countOf(to, 'partition')} by ${escapeControl(by)}, for ${formatDuration(forMs)}: ${closed} of ${from} closed`;

function formatTrimmed(leases: readonly LeaseStatus[], width = Number.POSITIVE_INFINITY): string[] {
  const trimmed = leases.filter((lease) => lease.trimmed > 0);
  if (trimmed.length === 0) return [];
  const named = trimmed.slice(0, NAMED).map((lease) => `p${lease.partition} ${formatCount(lease.trimmed)}`);
  const more = trimmed.length > NAMED ? ` and ${trimmed.length - NAMED} more` : '';
  return wrap(`! dropped by the stream before handled, at most: ${named.join(', ')}${more}`, width);
}

/** The numbers of members by state, in the words of `groups`: `3 members (1 silent), 1 unreachable`. */
function countMembers(members: readonly MemberStatus[]): string {
  const running = members.filter((each) => !isDead(each));
  const troubled = TROUBLED.flatMap((state) => {
    const number = running.filter((each) => each.state === state).length;
    return number > 0 ? [`${number} ${state}`] : [];
  });
  const all = countOf(running.length, 'member');
  const dead = members.length - running.length;
  return `${all}${troubled.length > 0 ? ` (${troubled.join(', ')})` : ''}${dead > 0 ? `, ${dead} unreachable` : ''}`;
}

/** The messages not read yet, as text. */
export function describeUnread({ messages, oldestAgeMs }: Unread): string {
  const oldest = oldestAgeMs === null ? '' : `, the oldest ${formatDuration(oldestAgeMs)} old`;
  return `${countOf(messages, 'message')} of the stream not read yet${oldest}`;
}

/**
 * The age of the oldest waiting message and the time to drain the lag: ` (oldest 12 s, 3 s to drain)`.
 *
 * @param isAgeTold true if the line already shows the age.
 */
function describeWait({ lag, oldestMs, drainMs }: GroupTotals, isAgeTold: boolean): string {
  if (!lag) return '';
  const parts = [
    ...(oldestMs === null || isAgeTold ? [] : [`oldest ${formatDuration(oldestMs)}`]),
    ...(drainMs === null ? [] : [`${formatDuration(drainMs)} to drain`]),
  ];
  return parts.length > 0 ? ` (${parts.join(', ')})` : '';
}

/** Why a group needs no members, as text. */
export const describeIdle = ({ sinceMs }: Idle, nowMs = Date.now()): string =>
  `idle: its job ended ${formatDuration(Math.max(0, nowMs - sinceMs))} ago`;

/** The group in one line: members, owned partitions, lag. */
export function summarise(status: GroupStatus): string {
  const totals = totalsOf(status);
  const { partitions, owned, lag, lagIsEstimate } = totals;
  const troubled = status.partitions.filter(needsAttention);
  const parts = [
    countMembers(status.members),
    `${owned} of ${partitions} partitions owned`,
    `lag ${lag === null ? NONE : aboutCount(lag, lagIsEstimate)}${describeWait(totals, status.unread !== undefined)}`,
    ...(status.unread ? [describeUnread(status.unread)] : []),
    ...(status.idle ? [describeIdle(status.idle)] : []),
    ...(totals.withoutKey > 0 ? [`${countOf(totals.withoutKey, 'message')} handled without a key`] : []),
  ];
  const paused = status.partitions.filter((each) => each.paused).map(({ partition }) => partition);
  if (paused.length > 0) parts.push(`paused: ${partitionList(paused, NAMED)}`);
  if (troubled.length > 0) {
    const states = new Map<string, number[]>();
    for (const { partition, state } of troubled) states.set(state, [...(states.get(state) ?? []), partition]);
    const named = [...states].map(
      ([state, those]) => `${partitionList(those, NAMED)} ${escapeControl(state)}`,
    );
    parts.push(`needs attention: ${named.join(', ')}`);
  }
  return parts.join(' · ');
}
