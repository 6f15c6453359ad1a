import { messageOf } from '../lib/errors.js';
import { callSheltered } from '../lib/promise-of.js';
import { sparing } from '../member/member-log.js';
import { standardError } from '../member/note-logger.js';
import { type Logger, type LogLevel, SILENT } from '../member/partition/logger.js';

/**
 * The program's logger. If it throws or rejects, the lost line goes to standard error. The logger's error is reported
 * there at most once a minute. It fails no handler and ends no member.
 */
export function loggerOf(logger: Logger | false | undefined): Logger {
  if (logger === false) return SILENT;
  return logger ? sheltered(logger, standardError) : standardError;
}

/** Wraps a logger so that it never throws. `instead` gets each line that the logger failed to write. */
export function sheltered(logger: Logger, instead: Logger): Logger {
  const sparingly = sparing(instead);
  const at = (level: LogLevel) => (fields: object, text: string) => {
    const failed = (error: unknown): void => {
      sparingly.error({}, `the logger failed: ${messageOf(error)}`);
      instead[level](fields, text);
    };
    callSheltered(() => logger[level](fields, text), failed);
  };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
