import { isEstimate, isOwned, type LeaseStatus, needsAttention } from '../../core/admin/lease-status.js';
import { stateText } from '../../text/lease-table.js';
import type { Model } from '../model/model.js';
import { aboutLag, drain, duration, rate, UNKNOWN } from './format.js';
import { ownerMark } from './partition-map.js';
import { type Column, type Table, type TableRoom, table } from './table.js';
import { MOST_NAME, type Span, shortenName, span } from './text.js';

const NORMAL = new Set(['owned', 'running', 'idle']);

function stateCell(row: LeaseStatus): Span {
  const text = stateText(row);
  if (NORMAL.has(row.state)) return span(text, { dim: true });
  return span(text, needsAttention(row) ? { color: 'red', bold: true } : { color: 'yellow' });
}

/** One line per partition. */
export function partitionTable(model: Model, rows: readonly LeaseStatus[], room: TableRoom): Table {
  const columns: Column<LeaseStatus>[] = [
    { title: 'PART', rank: 0, min: 5, cell: ({ partition }) => `p${partition}` },
    { title: '', rank: 0, cell: (row) => ownerMark(model, row) },
    {
      title: 'OWNER',
      rank: 1,
      max: MOST_NAME,
      cell: (row) => span(shortenName(row.owner ?? UNKNOWN, MOST_NAME), isOwned(row) ? {} : { dim: true }),
    },
    { title: 'EPOCH', rank: 4, align: 'right', cell: ({ epoch }) => (epoch === 0 ? UNKNOWN : `${epoch}`) },
    { title: 'HELD', rank: 5, min: 7, align: 'right', cell: ({ heldMs }) => duration(heldMs) },
    { title: 'LAG', rank: 2, min: 6, align: 'right', cell: (row) => aboutLag(row.lag, isEstimate(row)) },
    { title: 'RATE', rank: 3, min: 7, align: 'right', cell: ({ ratePerSecond }) => rate(ratePerSecond) },
    { title: 'OLDEST', rank: 3, min: 7, align: 'right', cell: ({ oldestMs }) => duration(oldestMs) },
    {
      ...{ title: 'DRAIN', rank: 4, min: 7, align: 'right' },
      cell: ({ lag, ratePerSecond }) => drain(lag, ratePerSecond),
    },
    { title: 'POSITION', rank: 6, min: 9, align: 'right', cell: ({ position }) => `${position ?? UNKNOWN}` },
    { title: 'END', rank: 7, min: 9, align: 'right', cell: ({ end }) => `${end ?? UNKNOWN}` },
    { title: 'STATE', rank: 2, min: 8, cell: stateCell },
  ];
  return table(columns, rows, room);
}
