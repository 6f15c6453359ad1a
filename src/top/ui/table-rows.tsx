import { Box } from 'ink';
import type { Table } from '../view/table.js';
import { windowOf } from '../view/window.js';
import { Line, Lines } from './line.js';

/** The rows of a table that a panel shows; its header is left out where it would take the place of the only row. */
export function tableWindow(count: number, height: number, selected: number, follow: 'start' | 'end') {
  return windowOf(count, Math.max(1, height - 1), selected, follow);
}

/** A table with its header above. */
export function TableRows({ table, height }: { table: Table; height: number }) {
  return (
    <Box flexDirection="column">
      {height > 1 && <Line of={table.header} />}
      <Lines of={table.rows} />
    </Box>
  );
}
