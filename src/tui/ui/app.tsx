import { Box, Text } from 'ink';
import type { Segment } from '../view/segments.js';
import type { Span } from '../view/text.js';

/** How spans look: whether colours are used (bold, dim and inverse are none), and dim where all is old. */
interface Look {
  colors: boolean;
  stale: boolean;
}

function SpanView({ text, color, bold, dim, inverse, colors, stale }: Span & Look) {
  return (
    <Text
      {...(colors && color ? { color } : {})}
      bold={bold ?? false}
      dimColor={stale || (dim ?? false)}
      inverse={inverse ?? false}
    >
      {text}
    </Text>
  );
}

function LineView({ segment, colors }: { segment: Segment; colors: boolean }) {
  const { spans, width, stale } = segment;
  return (
    <Box height={1} width={width}>
      <Text wrap="truncate-end">
        {spans.map((each, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: spans have no identity but their place
          <SpanView key={i} {...each} colors={colors} stale={stale} />
        ))}
      </Text>
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
