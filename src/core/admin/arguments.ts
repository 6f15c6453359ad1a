import { NAME_ALLOWED } from '../config/parse.js';
import { NatspocError } from '../lib/errors.js';
import { inWords } from '../lib/in-words.js';
import { asObject, isCount } from '../lib/json.js';
import { unknownName } from '../lib/unknown-name.js';
import { isId, MAX_PARTITIONS } from '../protocol/record-format.js';
import { fitsIn, MAX_CONFIGURED_BYTES } from '../protocol/subject.js';

/** The checks of the arguments of the administration. JavaScript programs can pass anything. All of them throw `usage`. */

const usage = (message: string): NatspocError => new NatspocError('usage', message);

/** Which values an argument may have, and how an error describes them. */
export type ArgumentCheck = readonly [isAllowed: (value: unknown) => boolean, allowed: string];

const isYesOrNo = (value: unknown): boolean => typeof value === 'boolean';
const isPositive = (value: unknown): boolean => isCount(value) && value > 0;

export const YES_OR_NO: ArgumentCheck = [isYesOrNo, 'true or false'];
export const SEQUENCE: ArgumentCheck = [isPositive, 'a sequence, which is a whole number from 1'];
export const COUNT: ArgumentCheck = [isPositive, 'a whole number from 1'];
export const START: ArgumentCheck = [isCount, 'a whole number from 0'];
export const AMOUNT: ArgumentCheck = [(value) => typeof value === 'number' && value >= 0, 'a number from 0'];
export const FUNCTION: ArgumentCheck = [(value) => typeof value === 'function', 'a function'];
export const SIGNAL: ArgumentCheck = [
  (value) => typeof asObject(value)?.aborted === 'boolean',
  'an AbortSignal',
];
export const SET: ArgumentCheck = [(value) => value instanceof Set, 'a Set'];
/** The name or session id of a member, or null. */
export const MEMBER_OR_NULL: ArgumentCheck = [
  (value) => value === null || (typeof value === 'string' && value.trim() !== ''),
  'the name or session id of a member, or null',
];
/** A sequence from 0, or null. */
export const END_OR_NULL: ArgumentCheck = [
  (value) => value === null || isCount(value),
  'a sequence from 0, or null for the end of the stream',
];
/** The name of a group. Groups that other programs created may have longer names. */
export const GROUP: ArgumentCheck = [
  (value) => isId(value) && fitsIn(MAX_CONFIGURED_BYTES, value),
  `the name of a group: ${NAME_ALLOWED}`,
];

/** @throws NatspocError `usage` for a value that is not allowed. */
export function checkArgument(name: string, value: unknown, [isAllowed, allowed]: ArgumentCheck): void {
  if (!isAllowed(value)) throw usage(`${name}: ${inWords(value)} is not ${allowed}.`);
}

/** @throws NatspocError `usage` for an unknown option, or for a value that is not allowed. undefined: the default applies. */
export function checkOptions<Options extends object>(
  call: string,
  options: Options | undefined,
  checks: { readonly [Name in keyof Options]-?: ArgumentCheck },
): void {
  if (options === undefined) return;
  const given = asObject(options);
  if (!given) throw usage(`${call} takes an object of options, not ${inWords(options)}.`);
  const known = new Map<string, ArgumentCheck>(Object.entries(checks));
  for (const [name, value] of Object.entries(given)) {
    const check = known.get(name);
    if (!check) throw usage(unknownName(call, 'option', name, [...known.keys()]));
    if (value !== undefined) checkArgument(name, value, check);
  }
}

/** @throws NatspocError `usage` for a partition that does not exist. `count`: the number of partitions, if known. */
export function checkPartition(partition: unknown, count?: number): void {
  if (isCount(partition) && partition < (count ?? MAX_PARTITIONS)) return;
  const which = count === undefined ? 'numbered from 0' : `0 to ${count - 1}`;
  throw usage(`There is no partition ${inWords(partition)}: the partitions are ${which}.`);
}

/** @throws NatspocError `usage` unless all of these partitions exist. */
export function checkPartitions(partitions: unknown, count: number): void {
  if (!Array.isArray(partitions))
    throw usage(`partitions: ${inWords(partitions)} is not a list, such as [0, 3].`);
  for (const partition of partitions) checkPartition(partition, count);
}

/** @throws NatspocError `usage` unless these are names of groups. */
export function checkGroups(groups: unknown): void {
  if (!Array.isArray(groups)) throw usage(`groups: ${inWords(groups)} is not a list of names.`);
  for (const group of groups) checkArgument('groups', group, GROUP);
}
