/**
 * The records that members share through the bucket. All input is validated here, also its size. What does not decode
 * is `undefined`, never an exception.
 */
import { decode, type Guard, isCount, orNull, parseObject } from '../lib/json.js';
import { MAX_TTL_MS } from './timing.js';

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
 * A member, as all others see it: written when it joins, when it starts to leave, and deleted when it is gone. `ttlMs`
 * and `suspectMs` tell observers how long to wait for this member.
 */
export interface SessionRecord {
  v: number;
  id: string;
  name: string;
  host: string;
  pid: number;
  version: string;
  /** Wall clock, ISO 8601: for people only. */
  startedAt: string;
  /** It is dead if its proof of life is unchanged for this long on an observer's clock. */
  ttlMs: number;
  /** The same if probes find no responders. */
  suspectMs: number;
  leaving?: boolean;
  /** It follows a resize of its group; absent: an older version that does not. */
  resizes?: boolean;
}

/** A member's proof of life. The revision of the entry counts: each renewal makes a new one. */
export interface ProofRecord {
  v: number;
  /** Wall clock, ISO 8601: for people only. */
  at: string;
}

/** How an owner got its lease: by a claim, a handover, or a release. */
export type LeaseReason = 'claim' | 'handover' | 'release';

/** Who owns a partition. The revision of the entry is the owner's epoch. */
export interface LeaseRecord {
  v: number;
  /** Session id of the owner; null: none. */
  owner: string | null;
  /** The owner's name, for people. */
  name: string;
  reason: LeaseReason;
  /** Name of the previous owner, for people. */
  from: string | null;
  /** Wall clock, ISO 8601: for people only. */
  at: string;
  /** The epoch of the layout whose partition this is; absent: 0. */
  layout?: number | undefined;
  /** Present if the partition is closed for a resize: nothing of it is handled any more under this layout. */
  closed?: Closing | undefined;
}

/** Where a partition was closed, and for which resize. */
export interface Closing {
  /** The revision of the layout entry that holds the order. */
  order: number;
  /** The last stream sequence handled in the partition. */
  seq: number;
  /** See `PositionMark`. */
  created?: number | undefined;
  /** Upper bound of messages that the stream dropped before they were handled; absent: none. */
  trimmed?: number | undefined;
}

/** The last stream sequence handled in a partition, and the epoch of the owner that wrote this. */
export interface PositionRecord {
  v: number;
  seq: number;
  epoch: number;
  at: string;
  /** The random part of the name of the owner's reader; absent: there is no reader to delete. */
  reader?: string | undefined;
  /**
   * Upper bound of messages that the stream dropped before they were handled, since the group's start or a seek;
   * absent: none.
   */
  trimmed?: number | undefined;
  /** How many owners in a row have died at this position; absent: none. */
  crashes?: number | undefined;
  /** The message that the last of them was handling; absent: unknown. */
  suspect?: number | undefined;
  /** The message after the position that its owner has begun to handle; recorded only after owners have died there. */
  trying?: number | undefined;
  /** See `PositionMark`. */
  created?: number | undefined;
  stored?: number | undefined;
  /** The epoch of the layout whose partition this is; absent: 0. */
  layout?: number | undefined;
  /** A seek moved it since the last resize: everything behind it is handled, whatever was before. */
  sought?: true | undefined;
}

/** Where a group starts in partitions without a position: written once, by its first member. */
export interface StartRecord {
  v: number;
  /** The sequence before the first that the group handles. */
  seq: number;
  /** The last sequence of the stream at that time; absent: unknown. */
  end?: number | undefined;
  /** The key of a keyed group; null: a group over the partitions of the stream; absent: an older version wrote it. */
  key?: string | null | undefined;
  /** See `PositionMark`. */
  created?: number | undefined;
  stored?: number | undefined;
  /** Wall clock, ISO 8601: for people only. */
  at: string;
}

/**
 * What an operator found when trimming handled messages: no message of the partition up to `seq` waited for the group.
 * Without it the next owner would count deleted messages as lost.
 */
export interface ClearedRecord {
  v: number;
  seq: number;
  /** When the stream was created, on the server's clock; absent: unknown. */
  created?: number | undefined;
}

/** What an operator wants for a partition, whoever owns it. An empty override is deleted. */
export interface OverrideRecord {
  v: number;
  /** Name (or session id) of the member that gets it while present; null: the plan decides. */
  pin: string | null;
  /** Owned, but not handled. */
  paused: boolean;
  /** The operator, for people. */
  by: string;
  /** Wall clock, ISO 8601: for people only. */
  at: string;
}

/** What all publishers and members of a stream agree on. */
export interface LayoutRecord {
  v: number;
  prefix: string;
  partitions: number;
  hash: 'fnv1a32';
}

/** What all members of a keyed group agree on: its partitions are the messages of a stream by the hash of their keys. */
export interface GroupLayoutRecord {
  v: number;
  /** Where the key of a message is, see `MessageKey`. */
  key: string;
  /** Which subjects of the stream it handles: one pattern. */
  filter: string;
  partitions: number;
  hash: 'fnv1a32';
  /** How often the group was resized; absent: never. */
  epoch?: number | undefined;
  /**
   * The group began with the partitions of the stream's own layout, which has this prefix. Until it is resized for the first time,
   * the subject of a message says its partition, not the key.
   */
  prefix?: string | undefined;
  /** The partitions before the last resize. */
  before?: LayoutBefore | undefined;
  /** An operator wants another number of partitions. */
  next?: ResizeOrder | undefined;
}

/** The partitions that a resize has replaced. */
export interface LayoutBefore {
  partitions: number;
  /** The last stream sequence handled in each of them. */
  positions: number[];
  /** See `PositionMark`. */
  created?: number | undefined;
  /** Upper bound of messages that the stream dropped before they were handled, in all of them; absent: none. */
  trimmed?: number | undefined;
}

/** What an operator wants: another number of partitions. */
export interface ResizeOrder {
  partitions: number;
  /** The operator, for people. */
  by: string;
  /** Wall clock, ISO 8601: for people only. */
  at: string;
}

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

const isText = (value: unknown): value is string => typeof value === 'string' && value.length <= MAX_TEXT;
/** True for text that can be an id: one token of a key and of a subject, which stands for no others. */
export const isId = (value: unknown): value is string => isText(value) && /^[^\s\p{Cc}.*>]+$/u.test(value);
const isBoolean = (value: unknown): value is boolean => typeof value === 'boolean';
const within =
  (most: number): Guard<number> =>
  (value): value is number =>
    typeof value === 'number' && value > 0 && value <= most;
const isPrefix = (value: unknown): value is string =>
  isText(value) && /^[^\s.*>]+(\.[^\s.*>]+)*$/.test(value);
/** A subject in which tokens may be wildcards. */
export const isFilter = (value: unknown): value is string =>
  isText(value) && /^(?:(?:\*|[^\s.*>]+)\.)*(?:>|\*|[^\s.*>]+)$/.test(value);
const isReason = (value: unknown): value is LeaseReason =>
  value === 'claim' || value === 'handover' || value === 'release';
/** It becomes part of a name, so foreign values are ignored. */
const isToken = (value: unknown): value is string => isText(value) && /^[0-9a-f]{1,64}$/.test(value);
const isPositive = (value: unknown): value is number => isCount(value) && value > 0;
const isHash = (value: unknown): value is 'fnv1a32' => value === 'fnv1a32';
const isPartitionCount = (value: unknown): value is number => isPositive(value) && value <= MAX_PARTITIONS;
const isVersion = (value: unknown): value is number => isPositive(value) && value <= RESIZED_VERSION;
const isTrue = (value: unknown): value is true => value === true;

const SESSION = {
  v: (value: unknown): value is number => value === RECORD_VERSION,
  id: isText,
  name: isText,
  host: isText,
  pid: isCount,
  version: isText,
  startedAt: isText,
  ttlMs: within(MAX_TTL_MS),
  // A member that cannot be probed sets a value that no silence reaches.
  suspectMs: within(Number.MAX_SAFE_INTEGER),
};
const LEASE = {
  v: isVersion,
  owner: orNull(isId),
  name: isText,
  reason: isReason,
  from: orNull(isText),
  at: isText,
};
const OVERRIDE = { v: isVersion, pin: orNull(isText), paused: isBoolean, by: isText, at: isText };
const MARK = { created: isCount, stored: isCount };
const POSITION = { v: isVersion, seq: isCount, epoch: isCount, at: isText };
const START = { v: isVersion, seq: isCount, at: isText };
const CLEARED = { v: isVersion, seq: isCount };
const GROUP_LAYOUT = {
  v: isVersion,
  key: isText,
  filter: isFilter,
  partitions: isPartitionCount,
  hash: isHash,
};
const isCounts = (value: unknown): value is number[] =>
  Array.isArray(value) && value.length <= MAX_PARTITIONS && value.every(isCount);
const CLOSING = { order: isPositive, seq: isCount };
const BEFORE = { partitions: isPartitionCount, positions: isCounts };
const ORDER = { partitions: isPartitionCount, by: isText, at: isText };
const LAYOUT = { v: isVersion, prefix: isPrefix, partitions: isPartitionCount, hash: isHash };

/** The session in these bytes; undefined if they are not in this version's format. */
export function decodeSession(bytes: Uint8Array): SessionRecord | undefined {
  const fields = parseObject(bytes);
  const session = decode(fields, SESSION, { leaving: isTrue, resizes: isTrue });
  const isReadable = fields?.leaving === undefined || isBoolean(fields.leaving);
  return isReadable ? session : undefined;
}

/** The lease in these bytes, or undefined. */
export function decodeLease(bytes: Uint8Array): LeaseRecord | undefined {
  const fields = parseObject(bytes);
  const lease = decode(fields, LEASE, { layout: isPositive });
  if (fields?.layout !== lease?.layout) return undefined;
  if (!lease || fields?.closed === undefined) return lease;
  const closed = decode(fields.closed, CLOSING, { created: isCount, trimmed: isPositive });
  return closed && { ...lease, closed };
}

/** The override in these bytes, or undefined. */
export const decodeOverride = (bytes: Uint8Array): OverrideRecord | undefined =>
  decode(parseObject(bytes), OVERRIDE);

/** The position in these bytes, or undefined. */
export const decodePosition = (bytes: Uint8Array): PositionRecord | undefined =>
  decode(parseObject(bytes), POSITION, {
    reader: isToken,
    trimmed: isPositive,
    crashes: isPositive,
    suspect: isPositive,
    trying: isPositive,
    layout: isPositive,
    sought: isTrue,
    ...MARK,
  });

/** The times of a {@link PositionMark}, as far as they are recorded. */
export const madeOn = (record: object): { created?: number; stored?: number } =>
  decode(record, {}, MARK) ?? {};

/** The group's start in these bytes, or undefined. */
export const decodeStart = (bytes: Uint8Array): StartRecord | undefined =>
  decode(parseObject(bytes), START, { end: isCount, key: orNull(isText), ...MARK });

/** The cleared record in these bytes, or undefined. */
export const decodeCleared = (bytes: Uint8Array): ClearedRecord | undefined =>
  decode(parseObject(bytes), CLEARED, MARK);

/** The layout in these bytes, or undefined. */
export const decodeLayout = (bytes: Uint8Array): LayoutRecord | undefined =>
  decode(parseObject(bytes), LAYOUT);

/** The layout of a keyed group in these bytes, or undefined. */
export function decodeGroupLayout(bytes: Uint8Array): GroupLayoutRecord | undefined {
  const fields = parseObject(bytes);
  const layout = decode(fields, GROUP_LAYOUT, { epoch: isPositive, prefix: isPrefix });
  if (!layout || fields?.prefix !== layout.prefix) return undefined;
  const before = decode(fields?.before, BEFORE, { created: isCount, trimmed: isPositive });
  const next = decode(fields?.next, ORDER);
  // A part that cannot be read must not be taken for one that is not there.
  if (fields?.before !== undefined && before?.positions.length !== (before?.partitions ?? -1))
    return undefined;
  if (fields?.next !== undefined && !next) return undefined;
  return { ...layout, ...(before && { before }), ...(next && { next }) };
}

/** What a position says of its layout, and whether a seek has moved it since the last resize. */
export type PositionTags = Pick<PositionRecord, 'v' | 'layout' | 'sought'>;

/** The tags of a position under a layout. */
export const positionTags = (layout: number, sought = false): PositionTags => ({
  v: versionIn(layout),
  ...(layout > 0 && { layout }),
  ...(sought && layout > 0 && { sought }),
});

/** True while the partitions of a group are those of the stream's own layout, although it has a layout of its own. */
export const hasOwnPartitions = ({
  prefix,
  epoch = 0,
}: Pick<GroupLayoutRecord, 'prefix' | 'epoch'>): boolean => prefix !== undefined && epoch === 0;

/** The version of the records of a layout: programs that know no resize must leave those of a resize alone. */
export const versionIn = (epoch: number): number => (epoch > 0 ? RESIZED_VERSION : RECORD_VERSION);

const encoder = new TextEncoder();

/** A record as bytes: JSON that `nats kv get` shows readably. */
export function encodeRecord(
  record:
    | SessionRecord
    | ProofRecord
    | LeaseRecord
    | OverrideRecord
    | PositionRecord
    | StartRecord
    | ClearedRecord
    | LayoutRecord
    | GroupLayoutRecord,
): Uint8Array {
  return encoder.encode(JSON.stringify(record));
}
