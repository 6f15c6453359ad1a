/** One column of a plain table: its heading, and how it lines up. */
export interface Column {
  title: string;
  align?: 'left' | 'right';
}

/**
 * Lines of a plain table, two spaces between the columns, without trailing spaces. Cells are written as they
 * are: text from other people has to be escaped before.
 */
export function formatTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string[] {
  const widths = columns.map(({ title }, i) =>
    rows.reduce((width, row) => Math.max(width, (row[i] ?? '').length), title.length),
  );
  const line = (cells: readonly string[]): string =>
    columns
      .map(({ align }, i) => {
        const cell = cells[i] ?? '';
        return align === 'right' ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0);
      })
      .join('  ')
      .trimEnd();
  return [line(columns.map(({ title }) => title)), ...rows.map(line)];
}

/** Lines of `label  value` pairs under each other, the labels of one width. */
export function formatPairs(pairs: readonly (readonly [label: string, value: string])[]): string[] {
  const width = Math.max(0, ...pairs.map(([label]) => label.length));
  return pairs.map(([label, value]) => `${label.padEnd(width)}  ${value}`.trimEnd());
}
