import { Box } from 'ink';
import type { Ui } from '../screen/state.js';
import { GAP, helpView } from '../view/help.js';
import type { Size } from '../view/layout.js';
import { Lines } from './line.js';

/** The key table and the legend of signs. */
export function Help({ ui, room }: { ui: Ui; room: Size }) {
  const { columns, below } = helpView(ui, room);
  return (
    <Box flexDirection="column">
      <Box columnGap={GAP}>
        {columns.map((lines, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a column is identified only by its place
          <Box key={i} flexDirection="column">
            <Lines of={lines} />
          </Box>
        ))}
      </Box>
      <Lines of={below} />
    </Box>
  );
}
