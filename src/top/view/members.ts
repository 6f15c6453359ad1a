import { type MemberStatus, TROUBLED } from '../../core/admin/members.js';
import type { HandlerTimeStats, MemberStats } from '../../core/protocol/member-stats.js';
import { partitionList } from '../../text/partition-list.js';
import type { Model } from '../model/model.js';
import { oldestByMember, standingOwners } from '../model/select.js';
import { aboutLag, bytes, drain, duration, rate, shortCount, steadyDuration, UNKNOWN } from './format.js';
import { letterSpan } from './palette.js';
import { type Column, type Table, type TableRoom, table } from './table.js';
import { MOST_NAME, type Span, shortenName, span } from './text.js';

function state({ state: shown }: MemberStatus): Span {
  if (TROUBLED.includes(shown)) return span(shown, { color: 'red', bold: true });
  return span(shown, shown === 'live' ? { dim: true } : { color: 'yellow' });
}

/** The resident memory and its trend: `↑` grows, `→` is stable. There is no arrow if it is too early to tell. */
function memory({ stats }: MemberStatus): Span {
  if (!stats) return span(UNKNOWN, { dim: true });
  const { sysBytes, verdict } = stats.memory;
  const grows = verdict.startsWith('growing');
  const trend = grows ? '↑' : verdict === 'stable' ? '→' : ' ';
  return span(`${bytes(sysBytes)} ${trend}`, grows ? { color: 'yellow', bold: true } : {});
}

/** A count of failures, in yellow if it is not 0. */
const trouble = (count: number | undefined): Span =>
  span(shortCount(count ?? null), count ? { color: 'yellow', bold: true } : { dim: true });

/** One line per member. */
export function memberTable(model: Model, rows: readonly MemberStatus[], room: TableRoom): Table {
  const oldest = oldestByMember(model);
  const standing = standingOwners(model);
  const taking = (pick: (times: HandlerTimeStats) => number | undefined) => (row: MemberStatus) =>
    steadyDuration((row.stats?.handlerTimes && pick(row.stats.handlerTimes)) ?? null);
  const counted = (pick: (stats: MemberStats) => number | undefined) => (row: MemberStatus) =>
    trouble(row.stats ? pick(row.stats) : undefined);
  const numbers = { align: 'right', min: 7 } as const;
  const columns: Column<MemberStatus>[] = [
    { title: '', rank: 0, cell: ({ session }) => letterSpan(model, session) },
    { title: 'NAME', rank: 0, max: MOST_NAME, cell: ({ name }) => shortenName(name, MOST_NAME) },
    { title: 'HOST', rank: 13, max: 16, cell: ({ host }) => host ?? UNKNOWN },
    { title: 'PID', rank: 12, align: 'right', cell: ({ pid }) => `${pid ?? UNKNOWN}` },
    { title: 'N', rank: 1, min: 3, align: 'right', cell: ({ partitions }) => `${partitions.length}` },
    {
      ...{ title: 'PARTITIONS', rank: 9, min: 12, max: 28 },
      cell: ({ partitions }) => partitionList(partitions),
    },
    { ...numbers, title: 'RATE', rank: 2, cell: ({ ratePerSecond }) => rate(ratePerSecond) },
    {
      ...{ title: 'LAG', rank: 2, min: 6, align: 'right' },
      cell: ({ lag, lagIsEstimate = false }) => aboutLag(lag, lagIsEstimate),
    },
    { ...numbers, title: 'OLDEST', rank: 6, cell: ({ session }) => duration(oldest.get(session) ?? null) },
    {
      ...{ ...numbers, title: 'DRAIN', rank: 8 },
      cell: ({ session, lag, ratePerSecond }) =>
        standing.has(session) ? UNKNOWN : drain(lag, ratePerSecond),
    },
    { ...numbers, title: 'P50', rank: 7, cell: taking(({ p50Ms }) => p50Ms) },
    { ...numbers, title: 'P99', rank: 4, cell: taking(({ p99Ms }) => p99Ms) },
    { ...numbers, min: 5, title: 'BUSY', rank: 9, cell: ({ stats }) => shortCount(stats?.inFlight ?? null) },
    { ...numbers, min: 6, title: 'FAILED', rank: 4, cell: counted(({ failed }) => failed) },
    { ...numbers, title: 'RETRIES', rank: 10, cell: counted(({ retried }) => retried) },
    { ...numbers, min: 9, title: 'MEMORY', rank: 5, cell: memory },
    { ...numbers, title: 'RENEWED', rank: 11, cell: ({ renewedAgoMs }) => duration(renewedAgoMs) },
    { ...numbers, title: 'UP', rank: 11, cell: ({ stats }) => duration(stats?.uptimeMs ?? null) },
    { title: 'STATE', rank: 1, min: 7, cell: state },
  ];
  return table(columns, rows, room);
}
