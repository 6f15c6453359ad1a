import { pad, textWidth, wrap } from '../core/lib/text.js';

/** The layout of a column. */
export interface ColumnLayout {
  title: string;
  align?: 'left' | 'right';
  /** If the table is too wide, columns with a rank are omitted, the highest rank first. */
  rank?: number;
  /** True for the one column that takes the remaining room. */
  grow?: boolean;
  /** Maximum width while the table does not fit. */
  max?: number;
  /** Minimum width. Useful if the width of the values changes often. */
  min?: number;
}

const GROWING = 16;

export const GAP = '  ';

/** The width that each column needs for its title and content. */
export function widthsOf(
  columns: readonly ColumnLayout[],
  rows: readonly (readonly string[])[],
): readonly number[] {
  return columns.map(({ title, min = 0 }, i) =>
    rows.reduce((most, row) => Math.max(most, textWidth(row[i] ?? '')), Math.max(min, textWidth(title))),
  );
}

/**
 * The widths of the columns that fit into `width`, by column number. If there is room, a column gets its width in `widest`. The column that
 * grows gets the rest.
 */
export function fitColumns(
  columns: readonly ColumnLayout[],
  widest: readonly number[],
  width: number,
): Map<number, number> {
  const least = columns.map(({ grow, max }, i) =>
    Math.min(widest[i] ?? 0, grow ? GROWING : (max ?? Infinity)),
  );
  let shown = [...columns.keys()];
  const spare = () =>
    width - shown.reduce((sum, i) => sum + (least[i] ?? 0), GAP.length * (shown.length - 1));
  const byRank = shown
    .filter((i) => columns[i]?.rank !== undefined)
    .sort((a, b) => (columns[b]?.rank ?? 0) - (columns[a]?.rank ?? 0));
  for (const next of byRank) if (shown.length > 1 && spare() < 0) shown = shown.filter((i) => i !== next);
  let left = Math.max(0, spare());
  const widths = new Map<number, number>();
  for (const i of shown) {
    const room = least[i] ?? 0;
    const more = columns[i]?.grow ? left : Math.min(left, (widest[i] ?? 0) - room);
    widths.set(i, room + more);
    left -= more;
  }
  return widths;
}

/**
 * Lines of a plain table, without trailing spaces. Cells are written unchanged, so the caller must escape foreign text.
 *
 * @param width of the terminal; undefined: no limit.
 */
export function formatTable(
  columns: readonly ColumnLayout[],
  rows: readonly (readonly string[])[],
  width = Number.POSITIVE_INFINITY,
): string[] {
  const widths = fitColumns(columns, widthsOf(columns, rows), width);
  const line = (cells: readonly string[]): string =>
    [...widths]
      .map(([i, room]) => pad(cells[i] ?? '', room, columns[i]?.align))
      .join(GAP)
      .trimEnd();
  return [line(columns.map(({ title }) => title)), ...rows.map(line)];
}

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
