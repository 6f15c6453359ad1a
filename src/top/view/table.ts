import { type Line, padTo, type Span, type Style, span, textWidth } from './text.js';

/** One column: its title and how to fill it. */
export interface Column<Row> {
  title: string;
  cell: (row: Row) => Span | string;
  align?: 'left' | 'right';
  /** Columns with a higher number are left out first where there is no room. */
  rank: number;
  /** Takes the room that is left over; one column at most. */
  grow?: boolean;
  /** Not wider than this, unless there is room. */
  max?: number;
}

/** A table's header and one line a row. `selected`: the row under the cursor; -1: none. */
export interface Table {
  header: Line;
  rows: Line[];
}

const GAP = 2;

const toSpan = (cell: Span | string): Span => (typeof cell === 'string' ? span(cell) : cell);

/** Sets rows in columns as wide as their content; what does not fit in `width` is left out by rank. */
export function table<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  width: number,
  selected = -1,
): Table {
  const cells = rows.map((row) => columns.map((column) => toSpan(column.cell(row))));
  const widest = columns.map((column, i) =>
    Math.max(textWidth(column.title), ...cells.map((row) => textWidth(row[i]?.text ?? ''))),
  );
  const natural = columns.map(({ grow, max }, i) => Math.min(widest[i] ?? 0, grow ? 16 : (max ?? Infinity)));
  const shown = new Set(columns.keys());
  const needed = () => [...shown].reduce((sum, i) => sum + (natural[i] ?? 0), 0) + GAP * (shown.size - 1);
  while (shown.size > 1 && needed() > width) {
    const [worst] = [...shown].sort((a, b) => (columns[b]?.rank ?? 0) - (columns[a]?.rank ?? 0));
    if (worst !== undefined) shown.delete(worst);
  }
  const kept = [...shown].sort((a, b) => a - b);
  let spare = Math.max(0, width - needed());
  const widths = new Map<number, number>();
  for (const i of kept) {
    const least = natural[i] ?? 0;
    const more = columns[i]?.grow ? spare : Math.min(spare, (widest[i] ?? 0) - least);
    widths.set(i, least + more);
    spare -= more;
  }
  const last = kept.at(-1);

  const compose = (cell: (i: number) => Span, style: Style): Line =>
    kept.flatMap((i) => {
      const { text, ...own } = cell(i);
      const align = columns[i]?.align ?? 'left';
      const merged = { ...own, ...style };
      const fitted = span(padTo(text, widths.get(i) ?? 0, align), merged);
      return i === last ? [fitted] : [fitted, span(' '.repeat(GAP), style)];
    });
  return {
    header: compose((i) => span(columns[i]?.title ?? ''), { dim: true }),
    rows: cells.map((row, index) =>
      compose((i) => row[i] ?? span(''), index === selected ? { inverse: true } : {}),
    ),
  };
}

/** A table as lines, its header first. */
export const tableLines = ({ header, rows }: Table): Line[] => [header, ...rows];
