/** The layouts of streams and of keyed groups, as they are stored in the bucket. */
import { decode, isCount, parseObject } from '../lib/json.js';
import {
  isFilter,
  isHash,
  isPartitionCount,
  isPositive,
  isPrefix,
  isText,
  isVersion,
  MAX_PARTITIONS,
} from './record-format.js';

/** The settings that all publishers and members of a stream share. */
export interface LayoutRecord {
  v: number;
  prefix: string;
  partitions: number;
  hash: 'fnv1a32';
}

/**
 * The settings that all members of a keyed group share. They define how messages are divided into partitions by their
 * keys.
 */
export interface GroupLayoutRecord {
  v: number;
  /** The part of a message that contains its key; see `MessageKey`. */
  key: string;
  /** The subjects that the group handles, as one pattern. */
  filter: string;
  partitions: number;
  hash: 'fnv1a32';
  /** The number of resizes of the group; absent means 0. */
  epoch?: number | undefined;
  /**
   * The prefix of the stream's own layout, if the group began with that layout's partitions. Until the group's first
   * resize, a message's subject decides its partition, not its key.
   */
  prefix?: string | undefined;
  before?: LayoutBefore | undefined;
  /** Present if an operator has requested a different number of partitions. */
  next?: ResizeOrder | undefined;
}

/** The partitions that a resize has replaced. */
export interface LayoutBefore {
  partitions: number;
  /** The last stream sequence handled in each of these partitions. */
  positions: number[];
  /** See `PositionMark`. */
  created?: number | undefined;
  /**
   * At most this number of messages of all these partitions were dropped before they were handled; absent if none were.
   */
  trimmed?: number | undefined;
}

/** An operator's request for a different number of partitions. */
export interface ResizeOrder {
  partitions: number;
  by: string;
  /** Wall-clock time in ISO 8601, for display only. */
  at: string;
}

const GROUP_LAYOUT = {
  v: isVersion,
  key: isText,
  filter: isFilter,
  partitions: isPartitionCount,
  hash: isHash,
};

const isCounts = (value: unknown): value is number[] =>
  Array.isArray(value) && value.length <= MAX_PARTITIONS && value.every(isCount);

const BEFORE = { partitions: isPartitionCount, positions: isCounts };

const ORDER = { partitions: isPartitionCount, by: isText, at: isText };

const LAYOUT = { v: isVersion, prefix: isPrefix, partitions: isPartitionCount, hash: isHash };

/** Decodes the layout of a stream, if valid. */
export const decodeLayout = (bytes: Uint8Array): LayoutRecord | undefined =>
  decode(parseObject(bytes), LAYOUT);

/** Decodes the layout of a keyed group, if valid. */
export function decodeGroupLayout(bytes: Uint8Array): GroupLayoutRecord | undefined {
  const fields = parseObject(bytes);
  const layout = decode(fields, GROUP_LAYOUT, { epoch: isPositive, prefix: isPrefix });
  if (!layout || fields?.prefix !== layout.prefix) return undefined;
  const before = decode(fields?.before, BEFORE, { created: isCount, trimmed: isPositive });
  const next = decode(fields?.next, ORDER);
  // An unreadable part must not count as absent.
  if (fields?.before !== undefined && before?.positions.length !== (before?.partitions ?? -1))
    return undefined;
  if (fields?.next !== undefined && !next) return undefined;
  return { ...layout, ...(before && { before }), ...(next && { next }) };
}

/** True until the first resize of a group whose partitions are those of the stream. */
export const hasOwnPartitions = ({
  prefix,
  epoch = 0,
}: Pick<GroupLayoutRecord, 'prefix' | 'epoch'>): boolean => prefix !== undefined && epoch === 0;
