import type { GroupStatus } from '../core/admin/group-status.js';
import { type MemberStatus, memberState, TROUBLED } from '../core/admin/members.js';
import { escapeControl } from '../core/lib/text.js';
import { formatBytes, formatCount, formatDuration, formatRate } from '../core/lib/units.js';
import { formatTable } from './table.js';

/** The sum of the rates that a member reports for its partitions; null if it reports none. */
function memberRate({ stats }: MemberStatus): number | null {
  const rates = stats?.partitions.flatMap(({ ratePerSecond }) => ratePerSecond ?? []) ?? [];
  return rates.length > 0 ? rates.reduce((sum, rate) => sum + rate, 0) : null;
}

/**
 * The table of `leases --members`: one line per member; `!` marks members that do not answer.
 *
 * @param width of the terminal; if it is too narrow, the least important columns are omitted.
 */
export function formatMembers({ members }: GroupStatus, width?: number): string[] {
  const rows = members.map((member) => {
    const { name, session, host, pid, partitions, lag, stats, expiresInMs } = member;
    const rate = memberRate(member);
    const state = memberState(member);
    return [
      `${TROUBLED.includes(state) ? '!' : ' '} ${escapeControl(name)}`,
      escapeControl(session),
      `${escapeControl(host)}:${pid}`,
      String(partitions.length),
      lag === null ? '-' : formatCount(lag),
      rate === null ? '-' : formatRate(rate),
      stats ? formatCount(stats.handled) : '-',
      stats?.handlerTimes ? formatDuration(stats.handlerTimes.p99Ms) : '-',
      stats ? formatBytes(stats.memory.sysBytes) : '-',
      stats ? escapeControl(stats.memory.verdict) : '-',
      stats ? formatDuration(stats.uptimeMs) : '-',
      expiresInMs < 0 ? `${formatDuration(-expiresInMs)} ago` : formatDuration(expiresInMs),
      state,
    ];
  });
  return formatTable(
    [
      { title: '  MEMBER' },
      { title: 'SESSION', giveWay: 1 },
      { title: 'HOST:PID', giveWay: 8 },
      { title: 'PARTITIONS', align: 'right' },
      { title: 'LAG', align: 'right' },
      { title: 'RATE', align: 'right', giveWay: 9 },
      { title: 'HANDLED', align: 'right', giveWay: 4 },
      { title: 'HANDLER P99', align: 'right', giveWay: 2 },
      { title: 'MEMORY', align: 'right', giveWay: 7 },
      { title: 'TREND', giveWay: 3 },
      { title: 'UP FOR', align: 'right', giveWay: 6 },
      { title: 'EXPIRES IN', align: 'right', giveWay: 5 },
      { title: 'STATE' },
    ],
    rows,
    width,
  );
}
