import { Chalk } from 'chalk';
import { Box, Transform } from 'ink';
import { createContext, use } from 'react';
import { LineTexts } from '../term/line-texts.js';
import { lineWidth, type Span, type Line as Spans, truncateLine } from '../view/text.js';

/** The terminal's own sixteen colours, whatever the environment says that it can do: more is never asked for. */
const chalk = new Chalk({ level: 1 });

/** Where lines leave their texts: the screen's own. */
export const Texts = createContext(new LineTexts({ colors: true }));
/** True where what is shown is old. */
export const Stale = createContext(false);

/** No terminal is wider, so nothing wider needs to be laid out. */
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
 * Text that changes, one row high: Ink's flexbox says where it is and how wide, as for a `<Text>`; what does not fit is
 * cut off. Ink measures a run of the same character instead of the text, and the text is kept for when the frame is laid
 * out: see {@link LineTexts}. Fixed words may be a `<Text>`.
 */
export function Line({ of: spans }: { of: Spans }) {
  const texts = use(Texts);
  const isStale = use(Stale);
  const fit = (place: string, row: number): string => {
    // Ink wraps the run at the width that it has here.
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

/** Lines below each other. */
export function Lines({ of: lines }: { of: readonly Spans[] }) {
  return lines.map((spans, i) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: lines have no identity but their place
    <Line key={i} of={spans} />
  ));
}

/** A row with something at both ends; the left one gives way. */
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
