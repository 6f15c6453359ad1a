import type { Reader } from '../core/config/parse.js';
import { NatspocError } from '../core/lib/errors.js';

/** The longest time that a command may wait or run: a longer one is probably a typing error. */
export const LONGEST_WAIT = '365d';
/** The longest polling interval, and the longest simulated work per message. */
export const LONGEST_PERIOD = '1d';

/**
 * Reads a flag of a single command; `undefined` if it was not given.
 *
 * @throws NatspocError `usage`: one line with the flag, the value and what is allowed.
 */
export function readFlag<T>(flag: string, text: string, reader: Reader<T>): T;
export function readFlag<T>(flag: string, text: string | undefined, reader: Reader<T>): T | undefined;
export function readFlag<T>(flag: string, text: string | undefined, reader: Reader<T>): T | undefined {
  if (text === undefined) return undefined;
  const value = reader.parse(text);
  if (value !== undefined) return value;
  throw new NatspocError('usage', `--${flag}: ${JSON.stringify(text)} is not ${reader.allowed}.`);
}
