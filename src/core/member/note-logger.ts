import { escapeControl } from '../lib/text.js';
import type { Logger } from './partition/logger.js';

/** Writes the text of each log call as one line for people, with its fields for programs. Debug lines are written only with `debug`. */
export function noteLogger(
  note: (line: string, fields: object) => void,
  { debug }: { debug: boolean },
): Logger {
  const at = (level: string) => (fields: object, text: string) =>
    note(`${level}${escapeControl(text)}`, fields);
  return {
    debug: debug ? at('debug: ') : () => {},
    info: at(''),
    warn: at('warning: '),
    error: at('error: '),
  };
}

/** The default logger of the library: writes each text as one line to standard error. */
export const standardError = noteLogger((line) => process.stderr.write(`natspoc: ${line}\n`), {
  debug: false,
});
