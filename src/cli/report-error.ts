import { writeSync } from 'node:fs';
import { messageOf, NatspocError } from '../core/lib/errors.js';
import { escapeControl, toJson } from '../core/lib/text.js';
import { completeHints, type Selection } from '../text/complete-hints.js';
import { suggest } from './suggest.js';

/** An error of oclif. The error that `exit()` throws has an exit code. */
interface OclifError extends Error {
  oclif?: { exit?: number };
  args?: string[];
  code?: string;
}

/** Converts any thrown value into a NatspocError: errors of oclif's parser are `usage`, all others `failed`. */
function asNatspocError(error: unknown, command: string, names: readonly string[]): NatspocError {
  if (error instanceof NatspocError) return error;
  const { oclif, message } = error as OclifError;
  if (oclif?.exit === undefined) return new NatspocError('failed', messageOf(error), { cause: error });
  const text = usageText(message);
  // No cause: the parser's own message quotes arguments, which may be secrets.
  return new NatspocError('usage', `${text}.${hint(message, names)} See natspoc ${command}--help.`);
}

/** Asks whether the user meant a similar command or flag; empty if there is none. */
function hint(message: string, names: readonly string[]): string {
  const [, command] = /^command (\S+) not found\.?$/im.exec(message.trim()) ?? [];
  const [, flag] = /^Nonexistent flag: (--[^=\s]*)/m.exec(message.trim()) ?? [];
  const word = command?.replaceAll(':', ' ') ?? flag;
  const meant = word === undefined ? undefined : suggest(word, names);
  return meant === undefined ? '' : ` Did you mean ${command === undefined ? meant : `"${meant}"`}?`;
}

/** Patterns of the parser's messages, each with its replacement. */
const USAGE: readonly [RegExp, (match: RegExpExecArray) => string][] = [
  // Without the value, which may be a secret for another flag.
  [/^Nonexistent flags?: ([\s\S]*)$/, ([, flags]) => `Unknown flag ${flagNames(flags ?? '')}`],
  [/^Parsing (\S+)\n([\s\S]*)$/, ([, flag, why]) => `${flag}: ${lowerFirst(why ?? '')}`],
  [/^command (\S+) not found\.?$/i, ([, id]) => `There is no command "${id?.replaceAll(':', ' ')}"`],
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
/** Formats an argument that the parser lists as `partition  the partition`. */
const describeArg = (line: string): string => {
  const [name = '', ...words] = line.trim().split(/\s{2,}/);
  return words.length > 0 ? `${name.toUpperCase()} (${words.join(' ')})` : name.toUpperCase();
};

/** The parser's complaints as one line without a full stop. */
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

/** How to report an error. */
export interface FailureOptions {
  /** Report the error as an object on stdout. */
  json: boolean;
  /** Formats the error as a line of a log; absent: as text for people. */
  log?: (text: string) => string;
  command?: string;
  /** The flags that commands in the message need in addition. */
  selection?: Selection;
  /** The names of commands or flags to suggest after a typing error. */
  names?: readonly string[];
  /** Replaces the report by a line on stdout and an exit code. */
  report?: (error: NatspocError) => { line: string; exitCode: number };
}

/** How long a full pipe can delay the end of the process, in milliseconds. */
const PATIENCE_MS = 1_000;
const RETRY_MS = 5;

/** Writes synchronously and never throws. If a pipe is full, waits up to one second for its reader. */
function writeNow(fd: number, text: string): void {
  let bytes = Buffer.from(text);
  let giveUpAtMs = performance.now() + PATIENCE_MS;
  while (bytes.length > 0) {
    try {
      bytes = bytes.subarray(writeSync(fd, bytes));
      giveUpAtMs = performance.now() + PATIENCE_MS;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN' || performance.now() >= giveUpAtMs) return;
      // Block the thread, so that no other code runs before the next attempt.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS);
    }
  }
}

/**
 * Reports an error to the user and ends the process. Writes to stderr, or an object to stdout if `json` is true. With `DEBUG`, also writes
 * the stack.
 */
export function exitWithError(error: unknown, options: FailureOptions): never {
  const exit = (error as OclifError).oclif?.exit;
  if (exit === 0 || (error as OclifError).code === 'EEXIT') process.exit(exit ?? 0);
  const known = asNatspocError(error, options.command ? `${options.command} ` : '', options.names ?? []);
  const message = completeHints(known.message, options.selection ?? {});
  const own = options.report?.(known);
  if (own) {
    writeNow(1, `${escapeControl(own.line)}\n`);
  } else if (options.json) {
    const body = { error: { code: known.code, message, exitCode: known.exitCode } };
    writeNow(1, `${toJson(body)}\n`);
  } else {
    // The message may quote control characters, which must not move the cursor.
    writeNow(2, options.log?.(message) ?? `Error: ${safeLines(message)}\n`);
  }
  const stack = known.cause instanceof Error ? known.cause.stack : known.stack;
  if (process.env.DEBUG) writeNow(2, `${safeLines(stack ?? '')}\n`);
  process.exit(own?.exitCode ?? known.exitCode);
}
