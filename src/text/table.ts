import { pad, textWidth, wrap } from '../core/lib/text.js';

/** One column of a plain table: its heading, alignment, and when it is omitted if there is no room. */
export interface Column {
  title: string;
  align?: 'left' | 'right';
  /** While the table is too wide, columns with a number are omitted, the lowest number first. Others stay. */
  giveWay?: number;
}

const GAP = '  ';

/**
 * Lines of a plain table, two spaces between the columns, without trailing spaces. Cells are written
 * unchanged: escape text from outside first.
 *
 * @param width of the terminal; undefined: no limit.
 */
export function formatTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width = Number.POSITIVE_INFINITY,
): string[] {
  const all = columns.map((column, i) => ({
    ...column,
    i,
    width: rows.reduce((widest, row) => Math.max(widest, textWidth(row[i] ?? '')), textWidth(column.title)),
  }));
  let shown = all;
  const dispensable = all
    .filter(({ giveWay }) => giveWay !== undefined)
    .sort((a, b) => (a.giveWay ?? 0) - (b.giveWay ?? 0));
  for (const column of dispensable) {
    const needed = shown.reduce((sum, each) => sum + each.width, GAP.length * (shown.length - 1));
    if (needed <= width) break;
    shown = shown.filter((each) => each !== column);
  }
  const line = (cells: readonly string[]): string =>
    shown
      .map(({ align, i, width: room }) => pad(cells[i] ?? '', room, align))
      .join(GAP)
      .trimEnd();
  return [line(columns.map(({ title }) => title)), ...rows.map(line)];
}

/** The narrowest width for wrapped values. */
const NARROWEST = 10;

/**
 * Lines of `label  value` pairs with aligned values. A value that is too long wraps below itself.
 *
 * @param width of the terminal; undefined: no limit.
 */
export function formatPairs(
  pairs: readonly (readonly [label: string, value: string])[],
  width = Number.POSITIVE_INFINITY,
): string[] {
  const labels = Math.max(0, ...pairs.map(([label]) => textWidth(label)));
  const room = Math.max(NARROWEST, width - labels - GAP.length);
  return pairs.flatMap(([label, value]) =>
    wrap(value, room).map((part, i) => `${pad(i === 0 ? label : '', labels)}${GAP}${part}`.trimEnd()),
  );
}
