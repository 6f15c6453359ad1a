import { Box } from 'ink';
import type { Line } from '../view/text.js';
import { Lines } from './line.js';
import { RULE } from './panel.js';

/** The question before an action, below a rule. */
export function Question({ lines }: { lines: readonly Line[] }) {
  return (
    <Box flexDirection="column" flexShrink={0} borderStyle="single" borderColor="yellow" {...RULE}>
      <Lines of={lines} />
    </Box>
  );
}
