import { type ColumnLayout, fitColumns, GAP, widthsOf } from '../../text/table.js';
import { type Line, padTo, type Span, type Style, span } from './text.js';

/** One column and its cells. */
export interface Column<Row> extends ColumnLayout {
  cell: (row: Row) => Span | string;
}

/** A table: its header, and one line per row. */
export interface Table {
  header: Line;
  rows: Line[];
}

const toSpan = (cell: Span | string): Span => (typeof cell === 'string' ? span(cell) : cell);

/** How a table is drawn. */
export interface TableRoom {
  width: number;
  selected?: number;
  /** Computes the widths to use from the widths that the content needs. Default: the same widths. */
  keep?: (needed: readonly number[]) => readonly number[];
}

/** Lays out rows in columns as wide as their content. If they do not fit in `width`, columns are omitted by rank. */
export function table<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  { width, selected = -1, keep = (needed) => needed }: TableRoom,
): Table {
  const cells = rows.map((row) => columns.map((column) => toSpan(column.cell(row))));
  const texts = cells.map((row) => row.map(({ text }) => text));
  const widths = [...fitColumns(columns, keep(widthsOf(columns, texts)), width)];
  const last = widths.at(-1)?.[0];

  const compose = (cell: (i: number) => Span, style: Style): Line =>
    widths.flatMap(([i, room]) => {
      const { text, ...own } = cell(i);
      const fitted = span(padTo(text, room, columns[i]?.align), { ...own, ...style });
      return i === last ? [fitted] : [fitted, span(GAP, style)];
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
