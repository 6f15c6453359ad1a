/** The records for positions, starts of groups, finished jobs, and trims by an operator. */
import { decode, isCount, orNull, parseObject } from '../lib/json.js';
import { isPositive, isText, isToken, isTrue, isVersion, MARK, versionIn } from './record-format.js';

/** The last stream sequence handled in a partition, and the epoch of the owner that wrote this record. */
export interface PositionRecord {
  v: number;
  seq: number;
  epoch: number;
  at: string;
  /** The random part of the name of the owner's reader; absent if there is no reader to delete. */
  reader?: string | undefined;
  /**
   * Upper bound on the number of messages that the stream dropped before they were handled. Counted since the group's start or the last
   * seek; absent if none were dropped.
   */
  trimmed?: number | undefined;
  /** How many owners in a row have died at this position; absent if none has. */
  crashes?: number | undefined;
  /** The message that the most recent of the dead owners was handling; absent if unknown. */
  suspect?: number | undefined;
  /** The message, after the position, that the owner is about to handle. Recorded only after owners have died at the position. */
  trying?: number | undefined;
  /** See `PositionMark`. */
  created?: number | undefined;
  stored?: number | undefined;
  /** The epoch of the layout to which the partition belongs; absent means 0. */
  layout?: number | undefined;
  /**
   * Present if a seek has moved the position since the last resize. After a seek, all messages after the position are handled, even those
   * that were handled before.
   */
  sought?: true | undefined;
}

/** Where a group starts in partitions without a position. Written once, by the first member of the group. */
export interface StartRecord {
  v: number;
  /** The sequence before the first message that the group handles. */
  seq: number;
  /** The last sequence of the stream when the record was written; absent if unknown. */
  end?: number | undefined;
  /** The key of a keyed group; null for a group over the partitions of the stream; absent if unknown, as in records of older versions. */
  key?: string | null | undefined;
  /** See `PositionMark`. */
  created?: number | undefined;
  stored?: number | undefined;
  /** Wall-clock time in ISO 8601, for display only. */
  at: string;
}

/** A bounded job ("consume --until-caught-up") that a member finished before it left. */
export interface JobRecord {
  v: number;
  /** The last sequence of the stream that the member had to handle. */
  until: number;
  /** Wall-clock time in ISO 8601, for display only. */
  at: string;
}

/**
 * Written before an operator trims or purges messages. At that time, no message of the partition up to `seq` was waiting for the group.
 * Without the cleared record, the next owner would count the deleted messages as lost.
 */
export interface ClearedRecord {
  v: number;
  seq: number;
  /**
   * Present if waiting messages were deleted, which are lost. They come after `seq` and end at this sequence. Until the position has passed
   * this sequence, the partition gets no record with a higher `seq`.
   */
  purged?: number | undefined;
  /** When the stream was created, on the server's clock; absent if unknown. */
  created?: number | undefined;
}

const POSITION = { v: isVersion, seq: isCount, epoch: isCount, at: isText };

const START = { v: isVersion, seq: isCount, at: isText };

const JOB = { v: isVersion, until: isCount, at: isText };

const CLEARED = { v: isVersion, seq: isCount };

/** Decodes a position; undefined if the bytes are not a valid position. */
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

/** Decodes the start of a group; undefined if the bytes are not a valid start. */
export const decodeStart = (bytes: Uint8Array): StartRecord | undefined =>
  decode(parseObject(bytes), START, { end: isCount, key: orNull(isText), ...MARK });

/** Decodes a finished job; undefined if the bytes are not a valid job. */
export const decodeJob = (bytes: Uint8Array): JobRecord | undefined => decode(parseObject(bytes), JOB);

/** Decodes a cleared record; undefined if the bytes are not a valid cleared record. */
export const decodeCleared = (bytes: Uint8Array): ClearedRecord | undefined =>
  decode(parseObject(bytes), CLEARED, { purged: isPositive, ...MARK });

/** The fields of a position that name its layout, and show whether a seek has moved the position since the last resize. */
export type PositionTags = Pick<PositionRecord, 'v' | 'layout' | 'sought'>;

/** The tags of a position under the layout of this epoch. */
export const positionTags = (layout: number, sought = false): PositionTags => ({
  v: versionIn(layout),
  ...(layout > 0 && { layout }),
  ...(sought && layout > 0 && { sought }),
});
