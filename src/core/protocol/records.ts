/**
 * The records that members share through the bucket, and their keys. Everything that comes off the wire is
 * validated here, also its size; what does not decode is a value (`undefined`), never an exception.
 */
import { type Fields, parseObject } from '../lib/json.js';
import { MAX_TTL_MS } from './timing.js';

/** The record format that this version writes, and the newest that it reads. Members of one group all write the same. */
export const RECORD_VERSION = 2;

/** More partitions than this no stream has: a record that says so is not read. */
export const MAX_PARTITIONS = 65_536;

/** Characters of any text in a record. Ours are far shorter. */
const MAX_TEXT = 1_024;

/**
 * A member, as all others see it: written when it joins, when it begins to leave, and deleted when it is gone. `ttlMs`
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
  /** Its proof of life unchanged for this long on an observer's clock: dead. */
  ttlMs: number;
  /** The same while probes find no responders. */
  suspectMs: number;
  leaving?: boolean;
}

/** A member's proof of life. What counts is the revision of the entry: a renewal makes a new one. */
export interface ProofRecord {
  v: number;
  /** Wall clock, ISO 8601: for people only. */
  at: string;
}

/** How a lease came to its owner: claimed from nobody, handed over by the owner before, or let go. */
export type LeaseReason = 'claim' | 'handover' | 'release';

/** Who owns a partition. The revision of the entry is the owner's epoch. */
export interface LeaseRecord {
  v: number;
  /** Session id of the owner; null: nobody. */
  owner: string | null;
  /** The owner's name, for people. */
  name: string;
  reason: LeaseReason;
  /** Name of the owner before, for people. */
  from: string | null;
  /** Wall clock, ISO 8601: for people only. */
  at: string;
}

/** The last stream sequence handled in a partition, and the epoch of the owner that wrote this. */
export interface PositionRecord {
  v: number;
  seq: number;
  epoch: number;
  at: string;
  /** What the name of the owner's reader ends with; none: there is no reader to delete. */
  reader?: string | undefined;
  /** Messages that the stream dropped before they were handled, at most, since the group began here or a seek; absent: none. */
  trimmed?: number | undefined;
  /** What it was made on; see `PositionMark`. */
  created?: number | undefined;
  stored?: number | undefined;
}

/** Where a group starts in partitions in which it has no position: written once, when the group is made. */
export interface StartRecord {
  v: number;
  /** The stream sequence before the first that the group handles. */
  seq: number;
  /** The last sequence that the stream had then; absent: not said. */
  end?: number | undefined;
  /** What it was made on; see `PositionMark`. */
  created?: number | undefined;
  stored?: number | undefined;
  /** Wall clock, ISO 8601: for people only. */
  at: string;
}

/**
 * What is known to be handled beside the position, because somebody who deleted handled messages looked: no message of the
 * partition up to `seq` waited for the group. Without it the next owner would take what was deleted for a loss.
 */
export interface ClearedRecord {
  v: number;
  seq: number;
  /** When the stream was created, on the server's clock; absent: not known. */
  created?: number | undefined;
}

/** What an operator wants of a partition, whoever owns it. An entry that wants nothing is deleted. */
export interface OverrideRecord {
  v: number;
  /** Name (or session id) of the member that is to have it while it is there; null: whoever the plan says. */
  pin: string | null;
  /** Owned, but not handled. */
  paused: boolean;
  /** Who wanted it, for people. */
  by: string;
  /** Wall clock, ISO 8601: for people only. */
  at: string;
}

/** What all publishers and consumers of a stream agree on. */
export interface LayoutRecord {
  v: number;
  prefix: string;
  partitions: number;
  hash: 'fnv1a32';
}

/** The JSON object in these bytes, if its version is one that we read. */
function decodeObject(bytes: Uint8Array): Fields | undefined {
  const fields = parseObject(bytes);
  return isCount(fields?.v) && fields.v >= 1 && fields.v <= RECORD_VERSION ? fields : undefined;
}

/**
 * Why a value that does not decode is none of ours: a newer version wrote it, which nothing of this version may change;
 * or it is `broken`, whoever wrote it, and somebody has to write another.
 */
export type Unreadable = 'newer' | 'broken';

/** Says which of the two a value is that does not decode. */
export function unreadableAs(bytes: Uint8Array): Unreadable {
  const version = parseObject(bytes)?.v;
  return isCount(version) && version > RECORD_VERSION ? 'newer' : 'broken';
}

const isText = (value: unknown): value is string => typeof value === 'string' && value.length <= MAX_TEXT;

/** The format of a session that another version wrote, and the program's version where it says so. */
export function foreignFormat(bytes: Uint8Array): { v: number; version: string | null } | undefined {
  const fields = parseObject(bytes);
  const v = fields?.v;
  if (!isCount(v) || v < 1 || v === RECORD_VERSION) return undefined;
  return { v, version: isText(fields?.version) ? fields.version : null };
}
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isWithin = (value: unknown, most: number): value is number =>
  typeof value === 'number' && value > 0 && value <= most;
const isPrefix = (value: unknown): value is string =>
  isText(value) && /^[^\s.*>]+(\.[^\s.*>]+)*$/.test(value);
const isReason = (value: unknown): value is LeaseReason =>
  value === 'claim' || value === 'handover' || value === 'release';

/** The session in these bytes, or undefined if they hold none of this version's format. */
export function decodeSession(bytes: Uint8Array): SessionRecord | undefined {
  const fields = decodeObject(bytes);
  if (fields?.v !== RECORD_VERSION) return undefined;
  const { v, id, name, host, pid, version, startedAt, ttlMs, suspectMs, leaving } = fields;
  if (!isCount(v) || !isText(id) || !isText(name) || !isText(host) || !isCount(pid) || !isText(version))
    return undefined;
  if (!isText(startedAt) || !isWithin(ttlMs, MAX_TTL_MS)) return undefined;
  // Who cannot be probed says that no silence proves anything.
  if (!isWithin(suspectMs, Number.MAX_SAFE_INTEGER)) return undefined;
  if (leaving !== undefined && typeof leaving !== 'boolean') return undefined;
  return { v, id, name, host, pid, version, startedAt, ttlMs, suspectMs, ...(leaving && { leaving }) };
}

/** The lease in these bytes, or undefined. */
export function decodeLease(bytes: Uint8Array): LeaseRecord | undefined {
  const fields = decodeObject(bytes);
  if (!fields) return undefined;
  const { v, owner, name, reason, from, at } = fields;
  if (!isCount(v) || !isText(name) || !isReason(reason) || !isText(at)) return undefined;
  if (!(owner === null || isText(owner)) || !(from === null || isText(from))) return undefined;
  return { v, owner, name, reason, from, at };
}

/** The override in these bytes, or undefined. */
export function decodeOverride(bytes: Uint8Array): OverrideRecord | undefined {
  const fields = decodeObject(bytes);
  if (!fields) return undefined;
  const { v, pin, paused, by, at } = fields;
  if (!isCount(v) || !(pin === null || isText(pin)) || typeof paused !== 'boolean') return undefined;
  return isText(by) && isText(at) ? { v, pin, paused, by, at } : undefined;
}

/** The position in these bytes, or undefined. */
export function decodePosition(bytes: Uint8Array): PositionRecord | undefined {
  const fields = decodeObject(bytes);
  if (!fields) return undefined;
  const { v, seq, epoch, at, reader, trimmed } = fields;
  if (!isCount(v) || !isCount(seq) || !isCount(epoch) || !isText(at)) return undefined;
  return {
    v,
    seq,
    epoch,
    at,
    // It becomes part of a name: what we did not write is passed over.
    ...(isText(reader) && /^[0-9a-f]{1,64}$/.test(reader) && { reader }),
    ...(isCount(trimmed) && trimmed > 0 && { trimmed }),
    ...madeOn(fields),
  };
}

/** What a position was made on, as far as it says so. */
export const madeOn = ({
  created,
  stored,
}: {
  created?: unknown;
  stored?: unknown;
}): {
  created?: number;
  stored?: number;
} => ({
  ...(isCount(created) && { created }),
  ...(isCount(stored) && { stored }),
});

/** The group's start in these bytes, or undefined. */
export function decodeStart(bytes: Uint8Array): StartRecord | undefined {
  const fields = decodeObject(bytes);
  if (!fields) return undefined;
  const { v, seq, at, end } = fields;
  if (!isCount(v) || !isCount(seq) || !isText(at)) return undefined;
  return { v, seq, at, ...(isCount(end) && { end }), ...madeOn(fields) };
}

/** What was cleared, in these bytes, or undefined. */
export function decodeCleared(bytes: Uint8Array): ClearedRecord | undefined {
  const fields = decodeObject(bytes);
  if (!fields) return undefined;
  const { v, seq } = fields;
  return isCount(v) && isCount(seq) ? { v, seq, ...madeOn(fields) } : undefined;
}

/** The layout in these bytes, or undefined. */
export function decodeLayout(bytes: Uint8Array): LayoutRecord | undefined {
  const fields = decodeObject(bytes);
  if (!fields) return undefined;
  const { v, prefix, partitions, hash } = fields;
  if (!isCount(v) || !isPrefix(prefix) || !isCount(partitions) || hash !== 'fnv1a32') return undefined;
  if (partitions < 1 || partitions > MAX_PARTITIONS) return undefined;
  return { v, prefix, partitions, hash };
}

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
    | LayoutRecord,
): Uint8Array {
  return encoder.encode(JSON.stringify(record));
}
