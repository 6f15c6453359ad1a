import { pad, textWidth, wrap } from '../core/lib/text.js';

/** One column of a plain table: its heading, how it lines up, and when it gives way where there is no room. */
export interface Column {
  title: string;
  align?: 'left' | 'right';
  /** Columns with a number are left out while the table is too wide, the lowest first; others stay. */
  giveWay?: number;
}

const GAP = '  ';

/**
 * Lines of a plain table, two spaces between the columns, without trailing spaces. Cells are written as they
 * are: text from other people has to be escaped before.
 *
 * @param width of the terminal; undefined: as wide as it gets.
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

/** Below this there is no use in breaking a value between words. */
const NARROWEST = 10;

/**
 * Lines of `label  value` pairs under each other, the labels of one width. A value that is too long goes on below itself.
 *
 * @param width of the terminal; undefined: as wide as it gets.
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
