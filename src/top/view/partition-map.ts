import { isEstimate, isOwned, type LeaseStatus, needsAttention } from '../../core/admin/lease-status.js';
import { stateText } from '../../text/lease-table.js';
import type { Model } from '../model/model.js';
import { isBehind, mayWait } from '../model/worst.js';
import { aboutLag, BARS } from './format.js';
import { letterSpan, UNOWNED } from './palette.js';
import { type Line, padTo, type Span, span } from './text.js';

/** A partition is highlighted for this long after a change of owner, in milliseconds. */
const FLASH_MS = 1_500;
/** Maximum number of rows of a map whose cells show name, lag and state. */
const NUMBERED_ROWS = 4;
/** Maximum number of rows of a map whose cells show name and sign. */
const NAMED_ROWS = 8;
const LAG = 6;
/** Without names, cells form groups of this size. */
const TOGETHER = 8;
const MOST_GAP = 4;

const flashes = (model: Model, { partition }: LeaseStatus): boolean => {
  const since = model.group.leases.get(partition)?.atMs ?? 0;
  return model.now - since < FLASH_MS && model.now - model.startedAt > FLASH_MS;
};

/** The letter of a partition's owner, in the owner's color. It is red if something is wrong. A dim dot means that no owner is needed. */
export function ownerMark(model: Model, row: LeaseStatus): Span {
  if (row.state === 'unreadable') return span('!', { color: 'red', bold: true });
  if (row.state === 'reserved') return span(UNOWNED, { color: 'yellow', bold: true });
  if (!isOwned(row))
    return span(
      UNOWNED,
      row.state !== 'idle' && mayWait(row) ? { color: 'red', bold: true, inverse: true } : { dim: true },
    );
  const style = { inverse: flashes(model, row), ...(needsAttention(row) && { color: 'red' as const }) };
  return letterSpan(model, row.session, style);
}

/** States of a partition that need no mark. */
const WORKS = new Set(['owned', 'running']);

/** The lag or the state of a partition in one column. The lag is a bar that grows with the number of digits. The state is a sign. */
export function lagMark(row: LeaseStatus): Span {
  const { lag, paused } = row;
  if (isOwned(row) && needsAttention(row)) return span('!', { color: 'red', bold: true });
  if (row.holdUp) return span('↻', { color: 'yellow', bold: true });
  if (paused) return span('=', { color: 'yellow' });
  if (lag === null) return span(' ');
  const digits = lag === 0 ? 0 : Math.floor(Math.log10(lag)) + 1;
  const bar = digits === 0 ? ' ' : (BARS[Math.min(BARS.length, 2 * digits - 1) - 1] ?? ' ');
  return span(bar, isBehind(row) ? { color: 'yellow', bold: true } : { dim: true });
}

/** The arrangement of a map. A row has a label and `cells` cells, each `cell` columns wide. */
function gridOf(count: number, width: number) {
  const digits = String(Math.max(0, count - 1)).length;
  const arranged = (least: number, label = 0) => {
    const room = Math.max(1, Math.floor((width - label) / least));
    const most = room >= count ? count : room >= TOGETHER ? room - (room % TOGETHER) : Math.min(room, 4);
    const rows = Math.max(1, Math.ceil(count / most));
    // Enough cells to fill these rows evenly, in groups of eight.
    const even = Math.ceil(Math.ceil(count / rows) / TOGETHER) * TOGETHER;
    const cells = Math.max(1, Math.min(most, even));
    const cell = Math.floor((width - label) / cells);
    const between = Math.max(1, Math.ceil(cells / TOGETHER) - 1);
    // The remaining columns separate the groups of eight.
    return { digits, label, rows, cells, cell, gap: Math.floor((width - label - cell * cells) / between) };
  };
  const numbered = arranged(digits + 4 + LAG + 1);
  if (numbered.rows <= NUMBERED_ROWS) return { ...numbered, shows: 'lag' as const };
  const named = arranged(digits + 5);
  if (named.rows <= NAMED_ROWS) return { ...named, shows: 'name' as const };
  return { ...arranged(2, digits + 2), shows: 'mark' as const };
}

/** The height in lines of the map of `count` partitions. */
export const mapHeight = (count: number, width: number): number => gridOf(count, width).rows;

/**
 * All partitions in numerical order, each with owner, lag and state. If there is room, the lag is a number and the state is a word.
 * Otherwise one sign shows both.
 *
 * @param selected the partition under the cursor, if any.
 */
export function partitionMap(
  model: Model,
  rows: readonly LeaseStatus[],
  width: number,
  selected?: number,
): Line[] {
  const ordered = [...rows].sort((a, b) => a.partition - b.partition);
  const grid = gridOf(ordered.length, width);
  const lines: Line[] = [];
  for (let start = 0; start < ordered.length; start += grid.cells) {
    const shown = ordered.slice(start, start + grid.cells);
    const head = span(grid.label === 0 ? '' : `${shown[0]?.partition}  `.padStart(grid.label), { dim: true });
    const cells = shown.flatMap((row, i) => {
      const isSelected = row.partition === selected;
      const cell = cellOf(model, row, grid, i);
      return isSelected
        ? cell.map((each, at) => (at === cell.length - 1 ? each : { ...each, inverse: true }))
        : cell;
    });
    lines.push([head, ...cells]);
  }
  return lines;
}

/** The spans of one cell. The last span is the gap to the next cell. */
function cellOf(
  model: Model,
  row: LeaseStatus,
  { shows, digits, cell, cells, gap }: ReturnType<typeof gridOf>,
  index: number,
): Span[] {
  const owner = ownerMark(model, row);
  if (shows === 'mark') {
    const isLast = index % TOGETHER === TOGETHER - 1 && index < cells - 1;
    return [owner, lagMark(row), span(' '.repeat(cell - 2 + (isLast ? Math.min(MOST_GAP, gap) : 0)))];
  }
  const name = span(`p${row.partition}`.padStart(digits + 1), { dim: true });
  if (shows === 'name') {
    return [name, span(' '), owner, lagMark(row), span(' '.repeat(cell - digits - 4))];
  }
  const lag = span(aboutLag(row.lag, isEstimate(row)).padStart(LAG - 1), lagStyle(row));
  const room = cell - digits - 3 - LAG;
  const isPlain = WORKS.has(row.state) && !row.holdUp && !row.paused;
  const word = isPlain || room < 4 ? lagMark(row).text.replace(/[^!↻=]/, '') : wordOf(row);
  const state = span(padTo(` ${word}`.trimEnd(), Math.max(0, room - 1)), {
    ...(needsAttention(row)
      ? { color: 'red', bold: true }
      : row.state === 'idle'
        ? { dim: true }
        : { color: 'yellow' }),
  });
  return [name, span(' '), owner, span(' '), lag, state, span(room > 0 ? ' ' : '')];
}

const wordOf = (row: LeaseStatus): string =>
  row.paused ? 'paused' : (stateText({ ...row, pin: null }).split(' ')[0] ?? '');

const lagStyle = (row: LeaseStatus): Omit<Span, 'text'> =>
  isBehind(row) ? { color: 'yellow', bold: true } : row.lag === 0 ? { dim: true } : {};
