/** The records for positions, starts of groups, finished jobs, and trims by an operator. */
import { decode, isCount, orNull, parseObject } from '../lib/json.js';
import { isPositive, isText, isToken, isTrue, isVersion, MARK, versionIn } from './record-format.js';

/** The last handled sequence of a partition, and the epoch of the owner that wrote it. */
export interface PositionRecord {
  v: number;
  seq: number;
  epoch: number;
  at: string;
  /** The random part of the reader's name; absent if there is no reader to delete. */
  reader?: string | undefined;
  /**
   * At most this number of messages were dropped before they were handled, since the group's start or the last seek.
   * Absent if none were.
   */
  trimmed?: number | undefined;
  /** How many owners in a row have died at this position; absent if none has. */
  crashes?: number | undefined;
  /** The message that the last dead owner was handling; absent if unknown. */
  suspect?: number | undefined;
  /** The next message that the owner will handle. Recorded only after owners have died at the position. */
  trying?: number | undefined;
  /** See `PositionMark`. */
  created?: number | undefined;
  stored?: number | undefined;
  /** The epoch of the partition's layout; absent means 0. */
  layout?: number | undefined;
  /**
   * Present if a seek has moved the position since the last resize. Then all messages after the position are handled,
   * even those that were handled before.
   */
  sought?: true | undefined;
}

/** Where a group starts in partitions without a position. The group's first member writes it once. */
export interface StartRecord {
  v: number;
  /** The sequence before the first message that the group handles. */
  seq: number;
  /** The last sequence of the stream when the record was written; absent if unknown. */
  end?: number | undefined;
  /** The key of a keyed group; null for a group over the stream's partitions; absent in records of older versions. */
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
 * Written before an operator trims or purges messages. No message of the partition up to `seq` was waiting for the group
 * then. Without this record, the next owner would count the deleted messages as lost.
 */
export interface ClearedRecord {
  v: number;
  seq: number;
  /**
   * Present if waiting messages were deleted. These are lost: those after `seq`, up to this sequence. Until the position
   * has passed it, the partition gets no record with a higher `seq`.
   */
  purged?: number | undefined;
  /** When the stream was created, on the server's clock; absent if unknown. */
  created?: number | undefined;
}

const POSITION = { v: isVersion, seq: isCount, epoch: isCount, at: isText };

const START = { v: isVersion, seq: isCount, at: isText };

const JOB = { v: isVersion, until: isCount, at: isText };

const CLEARED = { v: isVersion, seq: isCount };

/** Decodes a position, if valid. */
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

/** Decodes the start of a group, if valid. */
export const decodeStart = (bytes: Uint8Array): StartRecord | undefined =>
  decode(parseObject(bytes), START, { end: isCount, key: orNull(isText), ...MARK });

/** Decodes a finished job, if valid. */
export const decodeJob = (bytes: Uint8Array): JobRecord | undefined => decode(parseObject(bytes), JOB);

/** Decodes a cleared record, if valid. */
export const decodeCleared = (bytes: Uint8Array): ClearedRecord | undefined =>
  decode(parseObject(bytes), CLEARED, { purged: isPositive, ...MARK });

/** The fields of a position that depend on its layout. */
export type PositionTags = Pick<PositionRecord, 'v' | 'layout' | 'sought'>;

/** The tags of a position. `layout` is the epoch of the layout. */
export const positionTags = (layout: number, sought = false): PositionTags => ({
  v: versionIn(layout),
  ...(layout > 0 && { layout }),
  ...(sought && layout > 0 && { sought }),
});
