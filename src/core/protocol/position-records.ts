/** The records of positions, of the start of a group, of finished jobs, and of what an operator has cleared. */
import { decode, isCount, orNull, parseObject } from '../lib/json.js';
import { isPositive, isText, isToken, isTrue, isVersion, MARK, versionIn } from './record-format.js';

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
   * absent if there are none.
   */
  trimmed?: number | undefined;
  /** How many owners in a row have died at this position; absent if none has. */
  crashes?: number | undefined;
  /** The message that the last owner to die was handling; absent if unknown. */
  suspect?: number | undefined;
  /** The message that the owner has begun to handle after the position; recorded only after owners have died there. */
  trying?: number | undefined;
  /** See `PositionMark`. */
  created?: number | undefined;
  stored?: number | undefined;
  /** The epoch of the layout whose partition this is; absent: 0. */
  layout?: number | undefined;
  /** Present if a seek moved the position since the last resize: everything after it is handled, even what was handled before. */
  sought?: true | undefined;
}

/** Where a group starts in partitions without a position: written once, by its first member. */
export interface StartRecord {
  v: number;
  /** The sequence before the first message that the group handles. */
  seq: number;
  /** The last sequence of the stream at that time; absent if unknown. */
  end?: number | undefined;
  /** The key of a keyed group; null: a group over the partitions of the stream; absent: an older version wrote it. */
  key?: string | null | undefined;
  /** See `PositionMark`. */
  created?: number | undefined;
  stored?: number | undefined;
  /** Wall clock, ISO 8601: for people only. */
  at: string;
}

/** A bounded job ("consume --until-caught-up") that a member finished before it left. */
export interface JobRecord {
  v: number;
  /** The last sequence of the stream that the member had to handle. */
  until: number;
  /** Wall clock, ISO 8601: for people only. */
  at: string;
}

/**
 * What an operator found when trimming handled messages: no message of the partition up to `seq` waited for the group.
 * Without this record the next owner would count deleted messages as lost.
 */
export interface ClearedRecord {
  v: number;
  seq: number;
  /** When the stream was created, on the server's clock; absent if unknown. */
  created?: number | undefined;
}

const POSITION = { v: isVersion, seq: isCount, epoch: isCount, at: isText };

const START = { v: isVersion, seq: isCount, at: isText };

const JOB = { v: isVersion, until: isCount, at: isText };

const CLEARED = { v: isVersion, seq: isCount };

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

/** The group's start in these bytes, or undefined. */
export const decodeStart = (bytes: Uint8Array): StartRecord | undefined =>
  decode(parseObject(bytes), START, { end: isCount, key: orNull(isText), ...MARK });

/** The finished job in these bytes, or undefined. */
export const decodeJob = (bytes: Uint8Array): JobRecord | undefined => decode(parseObject(bytes), JOB);

/** The cleared record in these bytes, or undefined. */
export const decodeCleared = (bytes: Uint8Array): ClearedRecord | undefined =>
  decode(parseObject(bytes), CLEARED, MARK);

/** What a position says of its layout, and whether a seek has moved it since the last resize. */
export type PositionTags = Pick<PositionRecord, 'v' | 'layout' | 'sought'>;

/** The tags of a position under a layout. */
export const positionTags = (layout: number, sought = false): PositionTags => ({
  v: versionIn(layout),
  ...(layout > 0 && { layout }),
  ...(sought && layout > 0 && { sought }),
});
