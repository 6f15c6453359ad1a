/** Lines of styled text. `--once` prints them without style. */
import { escapeControl, pad, textWidth, truncate, wrap } from '../../core/lib/text.js';

export { shortenName, textWidth, truncate, wrap } from '../../core/lib/text.js';

/** Colors of the terminal's theme. They are readable on light and dark backgrounds. */
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

/** Text of one style, without control characters. */
export interface Span extends Style {
  text: string;
}

export type Line = readonly Span[];

/** A span of this text and style. Control characters are escaped. */
export const span = (text: string, style: Style = {}): Span => ({ text: escapeControl(text), ...style });

/** A line of one span. */
export const line = (text: string, style: Style = {}): Line => [span(text, style)];

/** A text of one style, wrapped to `columns`. Control characters are escaped. */
export const wrappedLines = (text: string, columns: number, style: Style): Line[] =>
  wrap(escapeControl(text), columns).map((part) => line(part, style));

/** The text in exactly `width` columns. */
export function padTo(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  return pad(truncate(text, width), width, align);
}

/** Maximum width of a member's name in a table or an update. */
export const MOST_NAME = 24;

/** The width of a line in columns. */
export const lineWidth = (spans: Line): number => spans.reduce((sum, { text }) => sum + textWidth(text), 0);

/** The line cut to at most `width` columns. */
export function truncateLine(spans: Line, width: number): Line {
  if (lineWidth(spans) <= width) return spans;
  const cut: Span[] = [];
  let left = width;
  for (const each of spans) {
    const size = textWidth(each.text);
    if (size >= left) {
      // The rest is cut off, so an ellipsis is needed even if this span just fits.
      cut.push({ ...each, text: truncate(`${each.text}…`, left) });
      break;
    }
    cut.push(each);
    left -= size;
  }
  return cut;
}

/** The line without styles. */
export const plain = (spans: Line): string => spans.map(({ text }) => text).join('');
