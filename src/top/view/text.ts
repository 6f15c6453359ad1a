/** Lines of styled text: what panels show on a terminal, and `--once` prints plain. */
import { escapeControl, pad, textWidth, truncate } from '../../core/lib/text.js';

export { textWidth, truncate, wrap } from '../../core/lib/text.js';

/** Colours of the terminal's own theme, so that they are readable on a light and on a dark background. */
export type Color =
  | 'red'
  | 'green'
  | 'yellow'
  | 'blue'
  | 'magenta'
  | 'cyan'
  | 'greenBright'
  | 'blueBright'
  | 'magentaBright'
  | 'cyanBright';

export interface Style {
  color?: Color | undefined;
  bold?: boolean | undefined;
  dim?: boolean | undefined;
  inverse?: boolean | undefined;
}

/** Text of one style; never holds a control character. */
export interface Span extends Style {
  text: string;
}

export type Line = readonly Span[];

/** A span of this text and style. Whatever is in the text, nothing in it moves the cursor. */
export const span = (text: string, style: Style = {}): Span => ({ text: escapeControl(text), ...style });

/** A line of one span. */
export const line = (text: string, style: Style = {}): Line => [span(text, style)];

/** The text in exactly `width` columns. */
export function padTo(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  return pad(truncate(text, width), width, align);
}

/** Columns that a line takes. */
export const lineWidth = (spans: Line): number => spans.reduce((sum, { text }) => sum + textWidth(text), 0);

/** The line cut to at most `width` columns. */
export function truncateLine(spans: Line, width: number): Line {
  if (lineWidth(spans) <= width) return spans;
  const cut: Span[] = [];
  let left = width;
  for (const each of spans) {
    const size = textWidth(each.text);
    if (size >= left) {
      // The rest of the line is lost in any case, so an ellipsis is due even where this span just fits.
      cut.push({ ...each, text: truncate(`${each.text}…`, left) });
      break;
    }
    cut.push(each);
    left -= size;
  }
  return cut;
}

/** The line as text alone. */
export const plain = (spans: Line): string => spans.map(({ text }) => text).join('');
