/**
 * The records that members share through the bucket. All input is validated here, including its size. A value that does
 * not decode gives `undefined`, never an exception.
 */
import { decode, isCount, orNull, parseObject } from '../lib/json.js';
import type { GroupLayoutRecord, LayoutRecord } from './layout-records.js';
import type { ClearedRecord, JobRecord, PositionRecord, StartRecord } from './position-records.js';
import { isId, isPositive, isText, isTrue, isVersion, RECORD_VERSION, within } from './record-format.js';
import { MAX_TTL_MS } from './timing.js';

/**
 * A member, as all others see it. Written when it joins and when it starts to leave, deleted when it is gone. `ttlMs`
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
  /** The member is dead if its proof of life is unchanged for this long on an observer's clock. */
  ttlMs: number;
  /** The member is dead after this shorter time if probes find no responders. */
  suspectMs: number;
  leaving?: boolean;
  /** True if the member follows a resize of its group; absent: an older version, which does not. */
  resizes?: boolean;
  /** Id of the session that this member gave up because its bucket went back; absent if there is none. */
  gaveUp?: string;
}

/** A member's proof of life. The revision of the entry counts: each renewal gives the entry a new revision. */
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
  /** Session id of the owner; null if there is none. */
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
  /** Present if the partition is closed for a resize: no message of it is handled any more under this layout. */
  closed?: Closing | undefined;
  /** Present after a claim whose last owner had ended without giving the partition away. */
  died?: DeadOwners | undefined;
  /** Present if its last owner left for a restart. Only without an owner. */
  reserved?: Reservation | undefined;
}

/**
 * The epochs of owners that ended without giving a partition away, the newest last. The position may not count their deaths
 * yet.
 */
export type DeadOwners = readonly number[];

/** Limit of {@link DeadOwners}: more owners than this hardly end before one of them takes the partition over. */
export const MOST_DEAD = 8;

/**
 * The member for which a partition is kept. The reservation ends when that member claims the partition, or does not
 * return in time.
 */
export interface Reservation {
  /** Name of the member. */
  name: string;
  /** How long other members leave the partition alone after they first see the lease, in milliseconds on their own clocks. */
  forMs: number;
}

/** Where a partition was closed, and for which resize. */
export interface Closing {
  /** The revision of the layout entry that holds the order. */
  order: number;
  /** The last stream sequence handled in the partition. */
  seq: number;
  /** See `PositionMark`. */
  created?: number | undefined;
  /** Upper bound of messages that the stream dropped before they were handled; absent if there are none. */
  trimmed?: number | undefined;
}

/** What an operator wants for a partition, independent of its owner. An empty override is deleted. */
export interface OverrideRecord {
  v: number;
  /** Name (or session id) of the member that gets the partition while present; null: the plan decides. */
  pin: string | null;
  /** Owned, but not handled. */
  paused: boolean;
  /** The operator, for people. */
  by: string;
  /** Wall clock, ISO 8601: for people only. */
  at: string;
  /** The operator who paused the partition, and when; a later pin changes only `by` and `at` above. Absent: an older version wrote it. */
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
  // A member that cannot be probed sets a value that no silence reaches.
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

/** The session in these bytes; undefined if they are not in this version's format. */
export function decodeSession(bytes: Uint8Array): SessionRecord | undefined {
  const fields = parseObject(bytes);
  const session = decode(fields, SESSION, { leaving: isTrue, resizes: isTrue, gaveUp: isId });
  const isReadable = fields?.leaving === undefined || isBoolean(fields.leaving);
  return isReadable ? session : undefined;
}

/** The lease in these bytes, or undefined. */
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

/** The override in these bytes, or undefined. */
export const decodeOverride = (bytes: Uint8Array): OverrideRecord | undefined =>
  decode(parseObject(bytes), OVERRIDE, { pause: isPause });

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
    | JobRecord
    | LayoutRecord
    | GroupLayoutRecord,
): Uint8Array {
  return encoder.encode(JSON.stringify(record));
}
