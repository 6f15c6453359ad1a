import { partitionList } from '../../text/partition-list.js';
import type { Model } from '../model/model.js';
import type { MemberRow } from '../model/select.js';
import { bytes, duration, rate, shortCount, sparkline, UNKNOWN } from './format.js';
import { letterSpan } from './palette.js';
import { type Column, type Table, table } from './table.js';
import { type Span, span } from './text.js';

const SPARK_WIDTH = 10;

function state(row: MemberRow): Span {
  switch (row.state) {
    case 'ok':
      return span('');
    case 'leaving':
      return span('leaving', { color: 'yellow' });
    case 'silent':
      return span(row.member.goneSince === null ? 'silent' : 'unreachable', { color: 'red', bold: true });
    case 'unreadable':
      return span('unreadable', { color: 'red', bold: true });
  }
}

function verdict({ member }: MemberRow): Span {
  const text = member.stats?.memory.verdict;
  if (text === undefined) return span(UNKNOWN, { dim: true });
  return span(text, text.startsWith('growing') ? { color: 'yellow', bold: true } : { dim: true });
}

/** One line a member. */
export function memberTable(model: Model, rows: readonly MemberRow[], width: number, at: number): Table {
  const memory =
    (pick: (memory: { allocBytes: number; totalAllocBytes: number; sysBytes: number }) => number) =>
    ({ member }: MemberRow) =>
      bytes(member.stats ? pick(member.stats.memory) : null);
  const columns: Column<MemberRow>[] = [
    { title: '', rank: 0, cell: ({ member }) => letterSpan(model, member.id) },
    { title: 'NAME', rank: 0, max: 24, cell: ({ name }) => name },
    { title: 'HOST', rank: 9, max: 16, cell: ({ member }) => member.record?.host ?? UNKNOWN },
    { title: 'PID', rank: 4, align: 'right', cell: ({ member }) => `${member.record?.pid ?? UNKNOWN}` },
    { title: 'N', rank: 1, align: 'right', cell: ({ partitions }) => `${partitions.length}` },
    { title: 'PARTITIONS', rank: 6, max: 28, cell: ({ partitions }) => partitionList(partitions) },
    { title: 'RATE', rank: 2, align: 'right', cell: (row) => rate(row.rate) },
    { title: 'LAG', rank: 2, align: 'right', cell: ({ lag }) => shortCount(lag) },
    { title: 'ALLOC', rank: 3, align: 'right', cell: memory(({ allocBytes }) => allocBytes) },
    { title: 'TOTALALLOC', rank: 12, align: 'right', cell: memory(({ totalAllocBytes }) => totalAllocBytes) },
    { title: 'SYS', rank: 10, align: 'right', cell: memory(({ sysBytes }) => sysBytes) },
    {
      title: 'GC',
      rank: 11,
      align: 'right',
      cell: ({ member }) => shortCount(member.stats?.memory.numGc ?? null),
    },
    { title: 'HEAP', rank: 8, cell: ({ member }) => sparkline(member.alloc, SPARK_WIDTH) },
    { title: 'MEMORY', rank: 5, cell: verdict },
    { title: 'RENEWED', rank: 7, align: 'right', cell: ({ renewedAgoMs }) => duration(renewedAgoMs) },
    { title: 'UP', rank: 8, align: 'right', cell: ({ member }) => duration(member.stats?.uptimeMs ?? null) },
    { title: 'STATE', rank: 1, cell: state },
  ];
  return table(columns, rows, width, at);
}
