import { messageOf } from '../core/lib/errors.js';
import { escapeControl, toJson } from '../core/lib/text.js';

/** The format of the lines of a log. */
export type LogFormat = 'text' | 'json';

/** Writes one line for people. A JSON log also gets `fields`. */
export type Note = (line: string, fields?: object) => void;

/** The level with which a line for people begins, such as `warning: `. */
const LEVEL = /^(debug|warning|error): /i;

/**
 * One line of a log, with its line feed. A JSON line has the time (ISO 8601), the level, the message, and `fields`. Without a field
 * `level`, the level comes from the beginning of the line.
 */
export function logLine(format: LogFormat, line: string, fields: object = {}): string {
  if (format === 'text') return `${escapeControl(line)}\n`;
  const [prefix = '', level = 'info'] = LEVEL.exec(line) ?? [];
  const known = { time: new Date().toISOString(), level: level.toLowerCase().replace('warning', 'warn') };
  // An Error has no enumerable properties, so it would become {}.
  const plain = Object.entries(fields)
    .filter(([name]) => name !== 'message')
    .map(([name, value]) => [name, value instanceof Error ? messageOf(value) : value]);
  return `${toJson({ ...known, message: line.slice(prefix.length), ...Object.fromEntries(plain) })}\n`;
}
