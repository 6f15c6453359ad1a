import type { Reader } from '../core/config/parse.js';
import { NatspocError } from '../core/lib/errors.js';
import { parseCount } from '../core/lib/units.js';
import { CLIError, Flags } from './oclif.js';

/** The longest time that a command can wait or run. More is probably a typing error. */
export const LONGEST_WAIT = '365d';
/** The longest polling interval, and the longest simulated work per message. */
export const LONGEST_PERIOD = '1d';

/**
 * Reads a flag of a single command; `undefined` if the flag was not given.
 *
 * @throws NatspocError `usage` if the value is not allowed.
 */
export function readFlag<T>(flag: string, text: string, reader: Reader<T>): T;
export function readFlag<T>(flag: string, text: string | undefined, reader: Reader<T>): T | undefined;
export function readFlag<T>(flag: string, text: string | undefined, reader: Reader<T>): T | undefined {
  if (text === undefined) return undefined;
  const value = reader.parse(text);
  if (value !== undefined) return value;
  throw new NatspocError('usage', `--${flag}: ${JSON.stringify(text)} is not ${reader.allowed}.`);
}

/** A flag with a count, such as `1_000`, `10k` or `1e6`. */
export const countFlag = Flags.custom<number, { min?: number; max?: number }>({
  async parse(text, _context, { min = 0, max = Number.MAX_SAFE_INTEGER }) {
    const count = parseCount(text);
    if (count !== undefined && count >= min && count <= max) return count;
    const limits = max === Number.MAX_SAFE_INTEGER ? `from ${min}` : `from ${min} to ${max}`;
    throw new CLIError(`${JSON.stringify(text)} is not a whole number ${limits}, such as 500 or 10k`);
  },
});

/** The flag that answers a question in advance: `--force`, `--yes` or `-y`. */
export const forceFlag = Flags.boolean({
  description: 'do not ask; also --yes, -y',
  aliases: ['yes'],
  charAliases: ['y'],
});
