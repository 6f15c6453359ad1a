import type { GroupStatus } from '../core/admin/group-status.js';
import { TROUBLED } from '../core/admin/members.js';
import { escapeControl } from '../core/lib/text.js';
import { aboutCount, formatBytes, formatCount, formatDuration, formatRate } from '../core/lib/units.js';
import { expiry } from './lease-table.js';
import { formatTable } from './table.js';

/**
 * The table of `leases --members`: one line per member. `!` marks members that do not answer.
 *
 * @param width of the terminal. The least important columns are omitted if necessary.
 */
export function formatMembers({ members }: GroupStatus, width?: number): string[] {
  const rows = members.map((member) => {
    const { name, session, host, pid, partitions, lag, stats, state, ratePerSecond } = member;
    return [
      `${TROUBLED.includes(state) ? '!' : ' '} ${escapeControl(name)}`,
      escapeControl(session),
      host === null ? '-' : `${escapeControl(host)}:${pid}`,
      String(partitions.length),
      lag === null ? '-' : aboutCount(lag, member.lagIsEstimate ?? false),
      ratePerSecond === null ? '-' : formatRate(ratePerSecond),
      stats ? formatCount(stats.handled) : '-',
      stats?.handlerTimes ? formatDuration(stats.handlerTimes.p99Ms) : '-',
      stats ? formatBytes(stats.memory.sysBytes) : '-',
      stats ? escapeControl(stats.memory.verdict) : '-',
      stats ? formatDuration(stats.uptimeMs) : '-',
      expiry(member.expiresInMs),
      state,
    ];
  });
  return formatTable(
    [
      { title: '  MEMBER' },
      { title: 'SESSION', rank: 9 },
      { title: 'HOST:PID', rank: 2 },
      { title: 'PARTITIONS', align: 'right' },
      { title: 'LAG', align: 'right' },
      { title: 'RATE', align: 'right', rank: 1 },
      { title: 'HANDLED', align: 'right', rank: 6 },
      { title: 'HANDLER P99', align: 'right', rank: 8 },
      { title: 'MEMORY', align: 'right', rank: 3 },
      { title: 'TREND', rank: 7 },
      { title: 'UP FOR', align: 'right', rank: 4 },
      { title: 'EXPIRES IN', align: 'right', rank: 5 },
      { title: 'STATE' },
    ],
    rows,
    width,
  );
}
