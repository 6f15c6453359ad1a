import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

/** How many of a server's last lines are kept to explain its end. */
const KEPT_LINES = 100;

/** A line of nats-server's log, without process id and time: level and text. */
const LOG_LINE = /\[(FTL|ERR|WRN|INF|DBG|TRC)\] (.*)$/;

/** The last lines that a server wrote, read as they come so that it never blocks on a full pipe. */
export interface ServerLog {
  /** What the server itself says went wrong, or null: its last fatal line, else its last error. */
  reason(): string | null;
}

function textOf(lines: readonly string[], level: string): string | undefined {
  const matches = lines.map((line) => LOG_LINE.exec(line));
  return matches.findLast((match) => match?.[1] === level)?.[2];
}

/**
 * What nats-server says went wrong, in one line, or null when it says nothing: from its log lines, or from
 * what it prints about an unknown flag or a mistake in a configuration file, before it logs anything.
 */
export function reasonIn(lines: readonly string[]): string | null {
  const complaint = lines.findLast((line) => /^(nats-server: |flag provided)/.test(line));
  return textOf(lines, 'FTL') ?? textOf(lines, 'ERR') ?? complaint?.replace(/^nats-server: /, '') ?? null;
}

/**
 * Reads a server's standard error.
 *
 * @param stream missing where the server could not be started.
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
