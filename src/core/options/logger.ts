import { messageOf } from '../lib/errors.js';
import { promiseOf } from '../lib/promise-of.js';
import { sparing } from '../member/member-log.js';
import { standardError } from '../member/note-logger.js';
import { type Logger, type LogLevel, SILENT } from '../member/partition/logger.js';

/**
 * The program's logger. One that throws or rejects is reported once a minute on standard error, with the lost
 * line; no handler fails and no member ends because of it.
 */
export function loggerOf(logger: Logger | false | undefined): Logger {
  if (logger === false) return SILENT;
  return logger ? sheltered(logger, standardError) : standardError;
}

/** A logger that never throws; `instead` gets the lines on which it fails. */
export function sheltered(logger: Logger, instead: Logger): Logger {
  const sparingly = sparing(instead);
  const at = (level: LogLevel) => (fields: object, text: string) => {
    const failed = (error: unknown): void => {
      sparingly.error({}, `the logger failed: ${messageOf(error)}`);
      instead[level](fields, text);
    };
    try {
      // A logger may be async, whatever its type says.
      const told: unknown = logger[level](fields, text);
      promiseOf(told)?.catch(failed);
    } catch (error) {
      failed(error);
    }
  };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
