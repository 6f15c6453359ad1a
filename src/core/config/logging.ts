import { oneOf } from './parse.js';
import { define } from './setting.js';

/** How long-running commands write their logs. */
export const LOGGING = {
  logFormat: define({
    flag: 'log-format',
    env: 'LOG_FORMAT',
    fallback: 'text',
    parse: oneOf('text', 'json'),
    allowed: 'text or json',
    help: 'lines on stderr: text, or JSON with time, level and message',
  }),
};
