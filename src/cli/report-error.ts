import { writeSync } from 'node:fs';
import { messageOf, NatspocError } from '../core/lib/errors.js';
import { escapeControl, toJson } from '../core/lib/text.js';

/** What oclif's own errors look like: parse errors carry the parser's input, `exit()` an exit code. */
interface OclifError extends Error {
  oclif?: { exit?: number };
  args?: string[];
  code?: string;
}

/** Turns anything thrown into one of ours: what oclif's parser refuses is `usage`, the rest `failed`. */
function asNatspocError(error: unknown, command: string): NatspocError {
  if (error instanceof NatspocError) return error;
  const { oclif, message } = error as OclifError;
  if (oclif?.exit === undefined) return new NatspocError('failed', messageOf(error), { cause: error });
  const text = usageText(message);
  return new NatspocError('usage', `${text}. See natspoc ${command}--help.`, { cause: error });
}

/** How the parser says things, and how we do. Matched against its message, the lines joined by line feeds. */
const USAGE: readonly [RegExp, (match: RegExpExecArray) => string][] = [
  // Without its value: it may be a secret that was meant for another flag.
  [/^Nonexistent flags?: ([\s\S]*)$/, ([, flags]) => `Unknown flag ${flagNames(flags ?? '')}`],
  [/^Parsing (\S+)\n([\s\S]*)$/, ([, flag, why]) => `${flag}: ${lowerFirst(why ?? '')}`],
  [/^command (\S+) not found$/, ([, id]) => `There is no command "${id?.replaceAll(':', ' ')}"`],
  [
    /^Missing \d+ required args?:\n([\s\S]*)$/,
    ([, args]) => `Missing ${(args ?? '').split('\n').map(describeArg).join(' and ')}`,
  ],
  [
    /^Expected --(\S+)=([\s\S]*) to be one of: (.*)$/,
    ([, flag, value, options]) => `--${flag}: ${JSON.stringify(value)} is not one of ${options}`,
  ],
  [
    /^(--\S+)=\S+ cannot also be provided when using (--\S+)$/,
    ([, a, b]) => `${a} and ${b} exclude each other`,
  ],
  [/^Missing required flag (\S+)$/, ([, flag]) => `Missing --${flag}`],
  [
    /^All of the following must be provided when using (--\S+): (.*)$/,
    ([, flag, needed]) => `${flag} needs ${needed}`,
  ],
];

const flagNames = (flags: string): string =>
  flags
    .split(/, (?=-)/)
    .map((flag) => /^(--[^=]*|-.?)/s.exec(flag)?.[0] ?? '')
    .join(', ');
const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);
/** `partition  the partition` as the parser lists it. */
const describeArg = (line: string): string => {
  const [name = '', ...words] = line.trim().split(/\s{2,}/);
  return words.length > 0 ? `${name.toUpperCase()} (${words.join(' ')})` : name.toUpperCase();
};

/** What the parser complains about, as one line without a full stop. */
function usageText(message: string): string {
  const lines = message
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !/^See more help with/.test(line));
  const complaints = /^The following errors? occurred:$/.test(lines[0] ?? '')
    ? lines.slice(1)
    : [lines.join('\n')];
  return complaints.map(rephrase).join('; ').replaceAll('\n', ' ').replace(/\.$/, '');
}

function rephrase(complaint: string): string {
  for (const [pattern, say] of USAGE) {
    const match = pattern.exec(complaint);
    if (match) return say(match);
  }
  return complaint;
}

const safeLines = (text: string): string => text.split('\n').map(escapeControl).join('\n');

/** How an error is said. */
export interface FailureOptions {
  /** As an object on stdout. */
  json: boolean;
  command?: string;
  /** A form of one's own: a line on stdout, and an exit code. */
  report?: (error: NatspocError) => { line: string; exitCode: number };
}

/** How long a reader that takes nothing may hold up the end of the process, milliseconds. */
const PATIENCE_MS = 1_000;
const RETRY_MS = 5;

/**
 * Writes at once, and never throws: what the error was, the exit code says as well. A full pipe is given a moment;
 * a reader that has gone gets nothing.
 */
function writeNow(fd: number, text: string): void {
  let bytes = Buffer.from(text);
  let giveUpAtMs = performance.now() + PATIENCE_MS;
  while (bytes.length > 0) {
    try {
      bytes = bytes.subarray(writeSync(fd, bytes));
      giveUpAtMs = performance.now() + PATIENCE_MS;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN' || performance.now() >= giveUpAtMs) return;
      // Nothing else may run in between: a wait that blocks.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS);
    }
  }
}

/**
 * Reports an error as users see it and ends the process: one or two lines on stderr, or an object on stdout
 * with `json`; the stack only with `DEBUG`. Written synchronously, so that nothing is lost in the exit.
 */
export function exitWithError(error: unknown, options: FailureOptions): never {
  const exit = (error as OclifError).oclif?.exit;
  if (exit === 0 || (error as OclifError).code === 'EEXIT') process.exit(exit ?? 0);
  const known = asNatspocError(error, options.command ? `${options.command} ` : '');
  const own = options.report?.(known);
  if (own) {
    writeNow(1, `${escapeControl(own.line)}\n`);
  } else if (options.json) {
    const body = { error: { code: known.code, message: known.message, exitCode: known.exitCode } };
    writeNow(1, `${toJson(body)}\n`);
  } else {
    // Names and texts of others are in it: nothing in them may move the cursor.
    writeNow(2, `Error: ${safeLines(known.message)}\n`);
  }
  const stack = known.cause instanceof Error ? known.cause.stack : known.stack;
  if (process.env.DEBUG) writeNow(2, `${safeLines(stack ?? '')}\n`);
  process.exit(own?.exitCode ?? known.exitCode);
}
