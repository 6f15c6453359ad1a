import { type MemberStatus, TROUBLED } from '../../core/admin/members.js';
import type { MemoryStats } from '../../core/protocol/member-stats.js';
import { partitionList } from '../../text/partition-list.js';
import type { Model } from '../model/model.js';
import { aboutLag, bytes, duration, rate, shortCount, sparkline, UNKNOWN } from './format.js';
import { letterSpan } from './palette.js';
import { type Column, type Table, type TableRoom, table } from './table.js';
import { type Span, span } from './text.js';

const SPARK_WIDTH = 10;

function state({ state: shown }: MemberStatus): Span {
  if (TROUBLED.includes(shown)) return span(shown, { color: 'red', bold: true });
  return span(shown, shown === 'live' ? { dim: true } : { color: 'yellow' });
}

function verdict({ stats }: MemberStatus): Span {
  const text = stats?.memory.verdict;
  if (text === undefined) return span(UNKNOWN, { dim: true });
  return span(text, text.startsWith('growing') ? { color: 'yellow', bold: true } : { dim: true });
}

/** One line per member. */
export function memberTable(model: Model, rows: readonly MemberStatus[], room: TableRoom): Table {
  const memory =
    (pick: (memory: MemoryStats) => number) =>
    ({ stats }: MemberStatus) =>
      bytes(stats ? pick(stats.memory) : null);
  const columns: Column<MemberStatus>[] = [
    { title: '', rank: 0, cell: ({ session }) => letterSpan(model, session) },
    { title: 'NAME', rank: 0, max: 24, cell: ({ name }) => name },
    { title: 'HOST', rank: 9, max: 16, cell: ({ host }) => host ?? UNKNOWN },
    { title: 'PID', rank: 4, align: 'right', cell: ({ pid }) => `${pid ?? UNKNOWN}` },
    { title: 'N', rank: 1, min: 3, align: 'right', cell: ({ partitions }) => `${partitions.length}` },
    { title: 'PARTITIONS', rank: 6, min: 12, max: 28, cell: ({ partitions }) => partitionList(partitions) },
    { title: 'RATE', rank: 2, min: 7, align: 'right', cell: ({ ratePerSecond }) => rate(ratePerSecond) },
    {
      title: 'LAG',
      rank: 2,
      min: 6,
      align: 'right',
      cell: ({ lag, lagIsEstimate = false }) => aboutLag(lag, lagIsEstimate),
    },
    { title: 'ALLOC', rank: 3, min: 7, align: 'right', cell: memory(({ allocBytes }) => allocBytes) },
    { title: 'TOTALALLOC', rank: 12, align: 'right', cell: memory(({ totalAllocBytes }) => totalAllocBytes) },
    { title: 'SYS', rank: 10, min: 7, align: 'right', cell: memory(({ sysBytes }) => sysBytes) },
    {
      title: 'GC',
      rank: 11,
      min: 6,
      align: 'right',
      cell: ({ stats }) => shortCount(stats?.memory.numGc ?? null),
    },
    {
      title: 'HEAP',
      rank: 8,
      min: SPARK_WIDTH,
      cell: ({ session }) => sparkline(model.members.get(session)?.alloc ?? [], SPARK_WIDTH),
    },
    { title: 'MEMORY', rank: 5, min: 10, cell: verdict },
    { title: 'RENEWED', rank: 7, min: 7, align: 'right', cell: ({ renewedAgoMs }) => duration(renewedAgoMs) },
    { title: 'UP', rank: 8, min: 7, align: 'right', cell: ({ stats }) => duration(stats?.uptimeMs ?? null) },
    { title: 'STATE', rank: 1, min: 7, cell: state },
  ];
  return table(columns, rows, room);
}
