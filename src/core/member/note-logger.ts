import { escapeControl } from '../lib/text.js';
import type { Logger } from './partition/logger.js';

/** Writes the text of each log call as one line for people, with its fields for programs; `debug` only if requested. */
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

/** The default of the library: one line each on standard error. The environment is not used. */
export const standardError = noteLogger((line) => process.stderr.write(`natspoc: ${line}\n`), {
  debug: false,
});
