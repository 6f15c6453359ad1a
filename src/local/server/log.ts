import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

const KEPT_LINES = 100;

/** Level and text of a line in nats-server's log. */
const LOG_LINE = /\[(FTL|ERR|WRN|INF|DBG|TRC)\] (.*)$/;

/** The last lines of a server's output. The output is read continuously; otherwise the server would block on a full pipe. */
export interface ServerLog {
  /** Why the server failed; null if its output gives no reason. See {@link reasonIn}. */
  reason(): string | null;
}

function textOf(lines: readonly string[], level: string): string | undefined {
  const matches = lines.map((line) => LOG_LINE.exec(line));
  return matches.findLast((match) => match?.[1] === level)?.[2];
}

/**
 * Why nats-server failed, in one line: its last fatal line, or else its last error. Before the log starts, nats-server prints errors in the
 * configuration as plain text. Null if `lines` contain no reason.
 */
export function reasonIn(lines: readonly string[]): string | null {
  const complaint = lines.findLast((line) => /^(nats-server: |flag provided)/.test(line));
  return textOf(lines, 'FTL') ?? textOf(lines, 'ERR') ?? complaint?.replace(/^nats-server: /, '') ?? null;
}

/**
 * Reads a server's standard error.
 *
 * @param stream undefined if the server could not be started.
 * @param onLine called with every line.
 */
export function readLog(stream: Readable | null | undefined, onLine?: (line: string) => void): ServerLog {
  const lines: string[] = [];
  const keep = (line: string): void => {
    lines.push(line);
    if (lines.length > KEPT_LINES) lines.shift();
    onLine?.(line);
  };
  if (stream) createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY }).on('line', keep);
  return { reason: () => reasonIn(lines) };
}
