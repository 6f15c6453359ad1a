import type { Model } from '../model/model.js';
import { type Color, type Span, type Style, span } from './text.js';

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** The colors of sessions. Red marks problems. */
const COLORS: readonly Color[] = [
  'cyan',
  'green',
  'magenta',
  'blue',
  'yellow',
  'cyanBright',
  'greenBright',
  'magentaBright',
  'blueBright',
];

/** The sign of a partition without an owner. */
export const UNOWNED = '·';

/** The letter of a session. It stays the same while the screen shows the session. */
export function letterOf(model: Model, id: string | null): string {
  if (id === null) return UNOWNED;
  const number = model.letters.get(id);
  return number === undefined ? '?' : (LETTERS[number] ?? '#');
}

/** The color of a session. */
export function colorOf(model: Model, id: string | null): Color {
  if (id === null) return 'red';
  return COLORS[(model.letters.get(id) ?? 0) % COLORS.length] ?? 'cyan';
}

/** A session's letter in its color. */
export function letterSpan(model: Model, id: string | null, style: Style = {}): Span {
  return span(letterOf(model, id), { color: colorOf(model, id), bold: true, ...style });
}
