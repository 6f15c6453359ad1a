import { isEstimate, isOwned, type LeaseStatus, needsAttention } from '../../core/admin/group-status.js';
import { stateText } from '../../text/lease-table.js';
import type { Model } from '../model/model.js';
import { aboutLag, duration, rate, UNKNOWN } from './format.js';
import { letterSpan, UNOWNED } from './palette.js';
import { type Column, type Table, type TableRoom, table } from './table.js';
import { type Line, type Span, span } from './text.js';

/** A partition is highlighted for this long after a change of owner, milliseconds. */
const FLASH_MS = 1_500;
/** With at most this many partitions each cell of the map names its partition; with more, the rows are numbered. */
const NAMED_CELLS = 64;

const flashes = (model: Model, { partition }: LeaseStatus): boolean => {
  const since = model.group.leases.get(partition)?.atMs ?? 0;
  return model.now - since < FLASH_MS && model.now - model.startedAt > FLASH_MS;
};

function mark(model: Model, row: LeaseStatus): Span {
  if (row.state === 'unreadable') return span('!', { color: 'red', bold: true });
  if (!isOwned(row)) return span(UNOWNED, { color: 'red', bold: true, inverse: true });
  const style = { inverse: flashes(model, row), ...(needsAttention(row) && { color: 'red' as const }) };
  return letterSpan(model, row.session, style);
}

/** The grid of the map: `cells` in a row, each `cell` columns wide, after a label of `label` columns. */
function mapGrid(count: number, width: number) {
  const named = count <= NAMED_CELLS;
  const digits = String(Math.max(0, count - 1)).length;
  const label = named ? 0 : digits + 2;
  const cell = named ? digits + 5 : 2;
  const room = Math.max(1, Math.floor((width - label) / cell));
  // Rows of 8, 16, 32 … cells are easy to read.
  const cells = room >= count ? count : room >= 8 ? 2 ** Math.floor(Math.log2(room)) : room;
  return { named, digits, label, cells: Math.max(1, cells) };
}

/** The height in lines of the map of `count` partitions. */
export function mapHeight(count: number, width: number): number {
  return Math.max(1, Math.ceil(count / mapGrid(count, width).cells));
}

/** A map of all partitions: the letter and colour of each owner. */
export function partitionMap(model: Model, rows: readonly LeaseStatus[], width: number): Line[] {
  const { named, digits, label, cells } = mapGrid(rows.length, width);
  const lines: Line[] = [];
  for (let start = 0; start < rows.length; start += cells) {
    const shown = rows.slice(start, start + cells).flatMap((row) => {
      const name = named ? [span(`p${row.partition}`.padStart(digits + 1), { dim: true }), span(' ')] : [];
      return [...name, mark(model, row), span(' '.repeat(named ? 2 : 1))];
    });
    const head = span(named ? '' : `${rows[start]?.partition}  `.padStart(label), { dim: true });
    lines.push([head, ...shown]);
  }
  return lines;
}

/** The states of normal work. */
const NORMAL = new Set(['owned', 'running']);

function stateCell(row: LeaseStatus): Span {
  const text = stateText(row);
  if (NORMAL.has(row.state)) return span(text, { dim: true });
  return span(text, needsAttention(row) ? { color: 'red', bold: true } : { color: 'yellow' });
}

/** One line per partition. */
export function partitionTable(model: Model, rows: readonly LeaseStatus[], room: TableRoom): Table {
  const columns: Column<LeaseStatus>[] = [
    { title: 'PART', rank: 0, min: 5, cell: ({ partition }) => `p${partition}` },
    { title: '', rank: 0, cell: (row) => mark(model, row) },
    {
      title: 'OWNER',
      rank: 1,
      max: 24,
      cell: (row) => span(row.owner ?? UNKNOWN, isOwned(row) ? {} : { dim: true }),
    },
    { title: 'EPOCH', rank: 4, align: 'right', cell: ({ epoch }) => (epoch === 0 ? UNKNOWN : `${epoch}`) },
    { title: 'HELD', rank: 5, min: 7, align: 'right', cell: ({ heldMs }) => duration(heldMs) },
    { title: 'LAG', rank: 2, min: 6, align: 'right', cell: (row) => aboutLag(row.lag, isEstimate(row)) },
    { title: 'RATE', rank: 3, min: 7, align: 'right', cell: ({ ratePerSecond }) => rate(ratePerSecond) },
    { title: 'POSITION', rank: 6, min: 9, align: 'right', cell: ({ position }) => `${position ?? UNKNOWN}` },
    { title: 'END', rank: 7, min: 9, align: 'right', cell: ({ end }) => `${end ?? UNKNOWN}` },
    { title: 'STATE', rank: 2, min: 8, cell: stateCell },
  ];
  return table(columns, rows, room);
}
