/** The rules that all records of the bucket share: versions, limits, and the checks of fields. */
import { decode, type Guard, isCount, parseObject } from '../lib/json.js';

/**
 * The record version that this program writes, except where {@link RESIZED_VERSION} applies. A member joins only a group whose sessions
 * have this version.
 */
export const RECORD_VERSION = 2;

/**
 * The record version of a group that is being resized or has been resized. It applies to layouts, leases and positions. Programs that
 * cannot resize do not change such records.
 */
export const RESIZED_VERSION = 3;

/** Maximum number of partitions. A record with more partitions is not read. */
export const MAX_PARTITIONS = 65_536;

/** Maximum length of any text in a record, in characters. */
const MAX_TEXT = 1_024;

/**
 * Why a value cannot be decoded. `newer`: a newer version wrote it, so this version must not change it. `broken`: the value is damaged and
 * has to be replaced.
 */
export type Unreadable = 'newer' | 'broken';

/** See {@link Unreadable}. */
export function unreadableAs(bytes: Uint8Array): Unreadable {
  const version = parseObject(bytes)?.v;
  return isCount(version) && version > RESIZED_VERSION ? 'newer' : 'broken';
}

/**
 * The versions of a session in another format; undefined for a session in our format or without a valid record version. `v` is the record
 * version. `version` is the natspoc version; null if the session contains none.
 */
export function foreignFormat(bytes: Uint8Array): { v: number; version: string | null } | undefined {
  const fields = parseObject(bytes);
  const v = fields?.v;
  if (!isCount(v) || v < 1 || v === RECORD_VERSION) return undefined;
  return { v, version: isText(fields?.version) ? fields.version : null };
}

/** True for text that is short enough for a record. */
export const isText = (value: unknown): value is string =>
  typeof value === 'string' && value.length <= MAX_TEXT;

/** True for text that can be an id: a single token of a key or subject, without wildcards. */
export const isId = (value: unknown): value is string => isText(value) && /^[^\s\p{Cc}.*>]+$/u.test(value);

/** True for positive numbers up to `most`. */
export const within =
  (most: number): Guard<number> =>
  (value): value is number =>
    typeof value === 'number' && value > 0 && value <= most;

/** True for a subject prefix: one or more tokens without wildcards. */
export const isPrefix = (value: unknown): value is string =>
  isText(value) && /^[^\s.*>]+(\.[^\s.*>]+)*$/.test(value);

/** True for a subject filter, in which tokens may be wildcards. */
export const isFilter = (value: unknown): value is string =>
  isText(value) && /^(?:(?:\*|[^\s.*>]+)\.)*(?:>|\*|[^\s.*>]+)$/.test(value);

/** True for the random part of a reader's name. It becomes part of a consumer's name, so other texts are refused. */
export const isToken = (value: unknown): value is string => isText(value) && /^[0-9a-f]{1,64}$/.test(value);

/** True for integers of 1 or more. */
export const isPositive = (value: unknown): value is number => isCount(value) && value > 0;

/** True for `fnv1a32`, the only hash that is used for keys. */
export const isHash = (value: unknown): value is 'fnv1a32' => value === 'fnv1a32';

/** True for a number of partitions, 1 to {@link MAX_PARTITIONS}. */
export const isPartitionCount = (value: unknown): value is number =>
  isPositive(value) && value <= MAX_PARTITIONS;

/** True for record versions that this program can read. */
export const isVersion = (value: unknown): value is number => isPositive(value) && value <= RESIZED_VERSION;

/** Checks flags that a record omits if they are false. */
export const isTrue = (value: unknown): value is true => value === true;

/** The optional fields of a `PositionMark`. */
export const MARK = { created: isCount, stored: isCount };

/** The times of a {@link PositionMark} that a record contains. */
export const madeOn = (record: object): { created?: number; stored?: number } =>
  decode(record, {}, MARK) ?? {};

/** The version in which a group's records are written, by the epoch of its layout. */
export const versionIn = (epoch: number): number => (epoch > 0 ? RESIZED_VERSION : RECORD_VERSION);
