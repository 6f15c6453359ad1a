import { timeOfDay } from '../../text/time-of-day.js';
import type { Model, Stretch } from '../model/model.js';
import { colorOf, letterOf, UNOWNED } from './palette.js';
import type { Table } from './table.js';
import { type Line, type Span, span } from './text.js';

/** Possible durations of one column, in milliseconds. */
const STEPS_MS = [1_000, 2_000, 5_000, 10_000, 20_000, 30_000];
/** The strip covers at least this time, in milliseconds. */
const SPAN_MS = 120_000;

/** The duration of one column, in milliseconds. It is the shortest with which `columns` columns cover the last minutes. */
export function stepFor(columns: number): number {
  return STEPS_MS.find((step) => step * columns >= SPAN_MS) ?? 30_000;
}

/** A cell in which the partition had no owner and messages waited. */
export const WAITED = Symbol('waited');
type Cell = string | null | typeof WAITED | undefined;

/**
 * The owner of a partition in each interval up to `end`, oldest first; undefined if unknown. If the partition had no owner for even a
 * moment, the interval is null or {@link WAITED}.
 */
export function stripOf(strip: readonly Stretch[], end: number, stepMs: number, columns: number): Cell[] {
  const ownerIn = ({ owner, waited }: Stretch): Cell => (waited ? WAITED : owner);
  const isGap = (cell: Cell): boolean => cell === null || cell === WAITED;
  const cells: Cell[] = [];
  let index = -1;
  for (let column = 0; column < columns; column++) {
    const from = end - (columns - column) * stepMs;
    while ((strip[index + 1]?.at ?? Number.POSITIVE_INFINITY) <= from) index++;
    const [at] = strip.slice(Math.max(0, index), index + 1);
    let owner: Cell = at && ownerIn(at);
    for (let next = index + 1; (strip[next]?.at ?? Number.POSITIVE_INFINITY) < from + stepMs; next++) {
      const [stretch] = strip.slice(next, next + 1);
      const changed = stretch && ownerIn(stretch);
      // Even a gap of a millisecond is marked.
      if (changed === WAITED || (owner !== WAITED && (isGap(changed) || !isGap(owner)))) owner = changed;
    }
    cells.push(owner);
  }
  return cells;
}

/** The strip of a partition as colored letters. Equal neighbors are one span. */
function stripSpans(model: Model, cells: readonly Cell[]): Span[] {
  const spans: Span[] = [];
  for (const owner of cells) {
    const shown =
      owner === undefined
        ? span(' ')
        : owner === WAITED
          ? span(UNOWNED, { color: 'red', inverse: true })
          : owner === null
            ? span(UNOWNED, { dim: true })
            : span(letterOf(model, owner), { color: colorOf(model, owner) });
    const last = spans.at(-1);
    if (last && last.color === shown.color && last.inverse === shown.inverse && last.dim === shown.dim)
      last.text += shown.text;
    else spans.push(shown);
  }
  return spans;
}

/** The strips of these partitions, below a line with the times of both ends. */
export function timelineTable(model: Model, partitions: readonly number[], width: number): Table {
  const label = String(Math.max(0, ...partitions)).length + 3;
  const columns = Math.max(1, width - label);
  const stepMs = stepFor(columns);
  // Columns start at whole steps. Otherwise the strip would flicker.
  const end = Math.ceil(model.now / stepMs) * stepMs;
  const [from, to] = [
    timeOfDay(end - columns * stepMs, false, model.now),
    `${timeOfDay(model.now, false, model.now)} now`,
  ];
  const axis = `${from}${' '.repeat(Math.max(1, columns - from.length - to.length))}${to}`;
  return {
    header: [span(' '.repeat(label)), span(axis, { dim: true })],
    rows: partitions.map((partition): Line => {
      const cells = stripOf(model.strips.get(partition) ?? [], end, stepMs, columns);
      return [span(`p${partition}`.padEnd(label), { dim: true }), ...stripSpans(model, cells)];
    }),
  };
}
