import { writeSync } from 'node:fs';
import { messageOf, NatspocError } from './core/errors.js';

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
  const line = (message.split('\n').find((part) => part.trim() !== '') ?? '').trim().replace(/\.$/, '');
  const unknownFlag = /^Nonexistent flags?: (.*)$/.exec(line);
  const text = unknownFlag ? `Unknown flag ${unknownFlag[1]}` : line;
  return new NatspocError('usage', `${text}. See natspoc ${command}--help.`, { cause: error });
}

/**
 * Reports an error as users see it and ends the process: one or two lines on stderr, or an object on stdout
 * with `json`; the stack only with `DEBUG`. Written synchronously, so that nothing is lost in the exit.
 */
export function exitWithError(error: unknown, options: { json: boolean; command?: string }): never {
  const exit = (error as OclifError).oclif?.exit;
  if (exit === 0 || (error as OclifError).code === 'EEXIT') process.exit(exit ?? 0);
  const known = asNatspocError(error, options.command ? `${options.command} ` : '');
  if (options.json) {
    const body = { error: { code: known.code, message: known.message, exitCode: known.exitCode } };
    writeSync(1, `${JSON.stringify(body)}\n`);
  } else {
    writeSync(2, `Error: ${known.message}\n`);
  }
  if (process.env.DEBUG) writeSync(2, `${(known.cause as Error | undefined)?.stack ?? known.stack}\n`);
  process.exit(known.exitCode);
}
