import { Chalk } from 'chalk';
import { Box, Transform } from 'ink';
import { createContext, use } from 'react';
import { LineTexts } from '../term/line-texts.js';
import { lineWidth, type Span, type Line as Spans, truncateLine } from '../view/text.js';

/** Uses the terminal's own sixteen colors, regardless of the environment. */
const chalk = new Chalk({ level: 1 });

/** The texts of the screen's lines. */
export const Texts = createContext(new LineTexts({ colors: true }));
/** True if the shown data is old. */
export const Stale = createContext(false);

const WIDEST = 500;

function styled({ text, color, bold, dim, inverse }: Span, isStale: boolean): string {
  let style = chalk;
  if (color) style = style[color];
  if (bold) style = style.bold;
  if (isStale || dim) style = style.dim;
  if (inverse) style = style.inverse;
  return style(text);
}

/**
 * Changing text, one row high. Text that does not fit is cut off. Ink lays out only a row of `x` of the same width. {@link LineTexts} then
 * replaces this row with the text. For fixed words use `<Text>`.
 */
export function Line({ of: spans }: { of: Spans }) {
  const texts = use(Texts);
  const isStale = use(Stale);
  const fit = (place: string, row: number): string => {
    // Ink wraps the row of `x` at the available width.
    if (row > 0) return '';
    const shown = truncateLine(spans, place.length);
    return texts.keep(shown.map((each) => styled(each, isStale)).join(''), lineWidth(shown));
  };
  return (
    <Box height={1}>
      <Transform transform={fit}>{'x'.repeat(Math.min(WIDEST, lineWidth(spans)))}</Transform>
    </Box>
  );
}

/** Lines, one below the other. */
export function Lines({ of: lines }: { of: readonly Spans[] }) {
  return lines.map((spans, i) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: a line is identified only by its place
    <Line key={i} of={spans} />
  ));
}

/** A row with text at both ends. If necessary, the left text is cut off. */
export function Ends({ left, right }: { left: Spans; right: Spans }) {
  return (
    <Box height={1} columnGap={1} justifyContent="space-between">
      <Line of={left} />
      <Box flexShrink={0}>
        <Line of={right} />
      </Box>
    </Box>
  );
}
