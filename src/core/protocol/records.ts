/** The records that members share through the bucket. The decoders validate every field, including the length of texts and lists. */
import { decode, isCount, orNull, parseObject } from '../lib/json.js';
import type { GroupLayoutRecord, LayoutRecord } from './layout-records.js';
import type { ClearedRecord, JobRecord, PositionRecord, StartRecord } from './position-records.js';
import { isId, isPositive, isText, isTrue, isVersion, RECORD_VERSION, within } from './record-format.js';
import { MAX_TTL_MS } from './timing.js';

/**
 * The description of a member for all other members. The member writes it when it joins and when it starts to leave. It is deleted when the
 * member has left or is fenced.
 */
export interface SessionRecord {
  v: number;
  id: string;
  name: string;
  host: string;
  pid: number;
  version: string;
  /** Wall-clock time in ISO 8601, for display only. */
  startedAt: string;
  /** The member is considered dead if its proof of life has not changed for this long on the observer's clock. */
  ttlMs: number;
  /** Used instead of `ttlMs` if the observer's probes find no responders. */
  suspectMs: number;
  leaving?: boolean;
  /** True if the member can follow a resize of its group. Older versions cannot, and omit this field. */
  resizes?: boolean;
  /** Id of the session that this member abandoned because the bucket lost data. */
  gaveUp?: string;
}

/** A member's proof of life. Observers compare only the revision of its entry. */
export interface ProofRecord {
  v: number;
  /** Wall-clock time in ISO 8601, for display only. */
  at: string;
}

/**
 * Why a lease was written. `claim`: the new owner claimed the partition. `handover`: the previous owner gave it to the owner that the plan
 * chose. `release`: the previous owner gave it away on request, or there is no next owner.
 */
export type LeaseReason = 'claim' | 'handover' | 'release';

/** Who owns a partition. The revision of the entry is the owner's epoch. */
export interface LeaseRecord {
  v: number;
  /** Session id of the owner; null if the partition has no owner. */
  owner: string | null;
  /** The owner's name, for display. */
  name: string;
  reason: LeaseReason;
  /** The previous owner's name, for display. */
  from: string | null;
  /** Wall-clock time in ISO 8601, for display only. */
  at: string;
  /** The epoch of the partition's layout; absent means 0. */
  layout?: number | undefined;
  /** Present if the partition is closed for a resize. Messages of a closed partition are not handled unless the resize is aborted. */
  closed?: Closing | undefined;
  /** Present if previous owners died, and the position perhaps does not count their deaths yet. */
  died?: DeadOwners | undefined;
  /** Present if the last owner left for a restart. The reservation has an effect only while the partition has no owner. */
  reserved?: Reservation | undefined;
}

/** The epochs of owners that ended without giving the partition away, the newest last. */
export type DeadOwners = readonly number[];

/** Maximum length of {@link DeadOwners}. The oldest epochs are dropped first. */
export const MOST_DEAD = 8;

/** The member for which a partition is kept. The reservation ends when this member claims the partition, or does not return in time. */
export interface Reservation {
  name: string;
  /** How long other members do not claim the partition, in milliseconds. The time starts when they first see the lease. */
  forMs: number;
}

/** Where a partition was closed, and for which resize. */
export interface Closing {
  /** The revision of the layout entry that contains the resize order. */
  order: number;
  /** The last stream sequence handled in the partition. */
  seq: number;
  /** See `PositionMark`. */
  created?: number | undefined;
  /** At most this many messages were dropped by the stream before they were handled. Absent if none were dropped. */
  trimmed?: number | undefined;
}

/**
 * An operator's settings for a partition. They stay in force when the partition's owner changes. An override that sets nothing is deleted.
 */
export interface OverrideRecord {
  v: number;
  /** Name or session id of the member that owns the partition while it is in the group; null if the plan decides. */
  pin: string | null;
  /** True if the partition keeps its owner, but its messages are not handled. */
  paused: boolean;
  /** The operator's name, for display. */
  by: string;
  /** Wall-clock time in ISO 8601, for display only. */
  at: string;
  /**
   * The operator who paused the partition, and when. A later pin does not change this. Absent if the partition is not paused, or if an
   * older version wrote the record.
   */
  pause?: { by: string; at: string };
}

const isBoolean = (value: unknown): value is boolean => typeof value === 'boolean';

const isReason = (value: unknown): value is LeaseReason =>
  value === 'claim' || value === 'handover' || value === 'release';

const SESSION = {
  v: (value: unknown): value is number => value === RECORD_VERSION,
  id: isText,
  name: isText,
  host: isText,
  pid: isCount,
  version: isText,
  startedAt: isText,
  ttlMs: within(MAX_TTL_MS),
  // A member that cannot be probed writes a time longer than any ttl. Its observers then use only its ttl.
  suspectMs: within(Number.MAX_SAFE_INTEGER),
};

const isDeadOwners = (value: unknown): value is DeadOwners =>
  Array.isArray(value) && value.length <= MOST_DEAD && value.every(isPositive);

const LEASE = {
  v: isVersion,
  owner: orNull(isId),
  name: isText,
  reason: isReason,
  from: orNull(isText),
  at: isText,
};

const isPause = (value: unknown): value is { by: string; at: string } =>
  decode(value, { by: isText, at: isText }) !== undefined;

const OVERRIDE = { v: isVersion, pin: orNull(isText), paused: isBoolean, by: isText, at: isText };

const RESERVATION = { name: isText, forMs: within(MAX_TTL_MS) };

const CLOSING = { order: isPositive, seq: isCount };

/** Decodes a session; undefined if the bytes are not in this version's format. */
export function decodeSession(bytes: Uint8Array): SessionRecord | undefined {
  const fields = parseObject(bytes);
  const session = decode(fields, SESSION, { leaving: isTrue, resizes: isTrue, gaveUp: isId });
  const isReadable = fields?.leaving === undefined || isBoolean(fields.leaving);
  return isReadable ? session : undefined;
}

/** Decodes a lease; undefined if the bytes are not a valid lease. */
export function decodeLease(bytes: Uint8Array): LeaseRecord | undefined {
  const fields = parseObject(bytes);
  const lease = decode(fields, LEASE, { layout: isPositive, died: isDeadOwners });
  if (fields?.layout !== lease?.layout || fields?.died !== lease?.died) return undefined;
  if (!lease || !fields) return undefined;
  const closed = decode(fields.closed, CLOSING, { created: isCount, trimmed: isPositive });
  const reserved = decode(fields.reserved, RESERVATION);
  const read = { closed, reserved };
  if (Object.entries(read).some(([name, value]) => fields[name] !== undefined && !value)) return undefined;
  return { ...lease, ...(closed && { closed }), ...(reserved && { reserved }) };
}

/** Decodes an override; undefined if the bytes are not a valid override. */
export const decodeOverride = (bytes: Uint8Array): OverrideRecord | undefined =>
  decode(parseObject(bytes), OVERRIDE, { pause: isPause });

const encoder = new TextEncoder();

/** Encodes a record as JSON, which `nats kv get` shows as readable text. */
export function encodeRecord(
  record:
    | SessionRecord
    | ProofRecord
    | LeaseRecord
    | OverrideRecord
    | PositionRecord
    | StartRecord
    | ClearedRecord
    | JobRecord
    | LayoutRecord
    | GroupLayoutRecord,
): Uint8Array {
  return encoder.encode(JSON.stringify(record));
}
