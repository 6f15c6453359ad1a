/** What all records of the bucket have in common: versions, limits, and the checks of their fields. */
import { decode, type Guard, isCount, parseObject } from '../lib/json.js';

/** The record version that this program writes. All members of a group write the same. */
export const RECORD_VERSION = 2;

/**
 * The version of layouts, leases and positions of a group that is being resized, or has been: the newest that this program reads.
 * Programs that know no resize leave them alone.
 */
export const RESIZED_VERSION = 3;

/** Limit of partitions: a record with more is not read. */
export const MAX_PARTITIONS = 65_536;

/** Limit of characters of any text in a record. Ours are far shorter. */
const MAX_TEXT = 1_024;

/**
 * Why a value does not decode: a `newer` version wrote it, so this version must not change it; or it is `broken` and
 * has to be replaced.
 */
export type Unreadable = 'newer' | 'broken';

/** Which of the two it is. */
export function unreadableAs(bytes: Uint8Array): Unreadable {
  const version = parseObject(bytes)?.v;
  return isCount(version) && version > RESIZED_VERSION ? 'newer' : 'broken';
}

/** The format of a session from another version, and that program's version if given. */
export function foreignFormat(bytes: Uint8Array): { v: number; version: string | null } | undefined {
  const fields = parseObject(bytes);
  const v = fields?.v;
  if (!isCount(v) || v < 1 || v === RECORD_VERSION) return undefined;
  return { v, version: isText(fields?.version) ? fields.version : null };
}

/** True for text of a length that a record may have. */
export const isText = (value: unknown): value is string =>
  typeof value === 'string' && value.length <= MAX_TEXT;

/** True for text that can be an id: one token of a key and of a subject, without wildcards. */
export const isId = (value: unknown): value is string => isText(value) && /^[^\s\p{Cc}.*>]+$/u.test(value);

/** True for positive numbers up to this one. */
export const within =
  (most: number): Guard<number> =>
  (value): value is number =>
    typeof value === 'number' && value > 0 && value <= most;

/** True for what subjects can begin with: tokens without wildcards. */
export const isPrefix = (value: unknown): value is string =>
  isText(value) && /^[^\s.*>]+(\.[^\s.*>]+)*$/.test(value);

/** A subject in which tokens may be wildcards. */
export const isFilter = (value: unknown): value is string =>
  isText(value) && /^(?:(?:\*|[^\s.*>]+)\.)*(?:>|\*|[^\s.*>]+)$/.test(value);

/** It becomes part of a name, so foreign values are ignored. */
export const isToken = (value: unknown): value is string => isText(value) && /^[0-9a-f]{1,64}$/.test(value);

/** True for whole numbers from 1 on. */
export const isPositive = (value: unknown): value is number => isCount(value) && value > 0;

/** True for the only hash of keys. */
export const isHash = (value: unknown): value is 'fnv1a32' => value === 'fnv1a32';

/** True for a number of partitions, 1 to {@link MAX_PARTITIONS}. */
export const isPartitionCount = (value: unknown): value is number =>
  isPositive(value) && value <= MAX_PARTITIONS;

/** True for versions of records that this program reads. */
export const isVersion = (value: unknown): value is number => isPositive(value) && value <= RESIZED_VERSION;

/** True for `true`: a flag that is absent otherwise. */
export const isTrue = (value: unknown): value is true => value === true;

/** The optional fields of a `PositionMark`. */
export const MARK = { created: isCount, stored: isCount };

/** The recorded times of a {@link PositionMark}. */
export const madeOn = (record: object): { created?: number; stored?: number } =>
  decode(record, {}, MARK) ?? {};

/** The version of the records of a layout: programs that know no resize must leave those of a resize alone. */
export const versionIn = (epoch: number): number => (epoch > 0 ? RESIZED_VERSION : RECORD_VERSION);
