import { Chalk } from 'chalk';
import { Box, Transform } from 'ink';
import type { Segment } from '../view/segments.js';
import type { Span } from '../view/text.js';

/** The terminal's own sixteen colours, whatever the environment says that it can do: more is never asked for. */
const chalk = new Chalk({ level: 1 });

/** How spans look: whether colours are used (bold, dim and inverse are none), and dim where all is old. */
interface Look {
  colors: boolean;
  stale: boolean;
}

function styled({ text, color, bold, dim, inverse }: Span, { colors, stale }: Look): string {
  let style = chalk;
  if (colors && color) style = style[color];
  if (bold) style = style.bold;
  if (stale || dim) style = style.dim;
  if (inverse) style = style.inverse;
  return style(text);
}

/**
 * One line. Ink keeps the size of every text that it has ever measured, for as long as the process lives: it is given
 * blanks to measure, of which there are few, and the text when it writes them.
 */
function LineView({ segment, colors }: { segment: Segment; colors: boolean }) {
  const { spans, width, stale } = segment;
  const text = spans.map((each) => styled(each, { colors, stale })).join('');
  return (
    <Box height={1}>
      <Transform transform={() => text}>{' '.repeat(width)}</Transform>
    </Box>
  );
}

/** Lines below each other, one row each; where they belong on the screen is for the frame writer. */
export function App({ segments, colors }: { segments: readonly Segment[]; colors: boolean }) {
  return (
    <Box flexDirection="column">
      {segments.map((segment, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: lines have no identity but their place
        <LineView key={i} segment={segment} colors={colors} />
      ))}
    </Box>
  );
}
