import { escapeControl } from '../lib/text.js';
import type { Logger } from './partition/handler.js';

/** Passes on what handlers say as lines for people, on one line each; `debug` only where it is asked for. */
export function noteLogger(note: (line: string) => void, { debug }: { debug: boolean }): Logger {
  const at = (level: string) => (text: string) => note(`${level}${escapeControl(text)}`);
  return {
    debug: debug ? at('debug: ') : () => {},
    info: at(''),
    warn: at('warning: '),
    error: at('error: '),
  };
}
