/** What all records of the bucket have in common: versions, limits, and the checks of their fields. */
import { decode, type Guard, isCount, parseObject } from '../lib/json.js';

/** The record version that this program writes. All members of a group write the same version. */
export const RECORD_VERSION = 2;

/**
 * The version of layouts, leases and positions of a group that is being resized, or was resized. It is the newest version that
 * this program reads. Programs that cannot resize leave such records alone.
 */
export const RESIZED_VERSION = 3;

/** Limit of partitions: a record with more is not read. */
export const MAX_PARTITIONS = 65_536;

/** Limit of characters of any text in a record. Our texts are far shorter. */
const MAX_TEXT = 1_024;

/**
 * Why a value does not decode: a `newer` version wrote it, so this version must not change it; or it is `broken` and
 * has to be replaced.
 */
export type Unreadable = 'newer' | 'broken';

/** Why this value does not decode. */
export function unreadableAs(bytes: Uint8Array): Unreadable {
  const version = parseObject(bytes)?.v;
  return isCount(version) && version > RESIZED_VERSION ? 'newer' : 'broken';
}

/** The format of a session that another version wrote, and the program's version if the session names it. */
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

/** True for positive numbers up to `most`. */
export const within =
  (most: number): Guard<number> =>
  (value): value is number =>
    typeof value === 'number' && value > 0 && value <= most;

/** True for a prefix of subjects: tokens without wildcards. */
export const isPrefix = (value: unknown): value is string =>
  isText(value) && /^[^\s.*>]+(\.[^\s.*>]+)*$/.test(value);

/** True for a subject in which tokens may be wildcards. */
export const isFilter = (value: unknown): value is string =>
  isText(value) && /^(?:(?:\*|[^\s.*>]+)\.)*(?:>|\*|[^\s.*>]+)$/.test(value);

/** True for a token of a reader's name. Any other value is ignored, because it would become part of a name. */
export const isToken = (value: unknown): value is string => isText(value) && /^[0-9a-f]{1,64}$/.test(value);

/** True for whole numbers from 1 on. */
export const isPositive = (value: unknown): value is number => isCount(value) && value > 0;

/** True for the name of the only hash that is used for keys. */
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

/** The version of the records of a layout. Programs that cannot resize must leave the records of a resized group alone. */
export const versionIn = (epoch: number): number => (epoch > 0 ? RESIZED_VERSION : RECORD_VERSION);
