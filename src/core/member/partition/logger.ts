/**
 * Receives log lines, each with fields that describe it. It can be a pino logger, the console, or your own object. Each text is complete
 * without the fields.
 */
export interface Logger {
  debug(fields: object, text: string): void;
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
  error(fields: object, text: string): void;
}

/** The levels of a logger. */
export type LogLevel = keyof Logger;

/** The log of a handler. This log adds the partition and sequence of the message to each line. */
export type HandlerLog = Readonly<Record<LogLevel, (text: string) => void>>;

/** Discards everything. */
export const SILENT: Logger = { debug() {}, info() {}, warn() {}, error() {} };
