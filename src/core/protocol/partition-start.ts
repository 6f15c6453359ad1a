import type { GroupLayoutRecord } from './layout-records.js';
import type { StreamMessage } from './message.js';
import type { StartRecord } from './position-records.js';

/** The start of a partition without a position under its layout. */
export type PartitionStart = Pick<StartRecord, 'seq' | 'end' | 'created' | 'stored'> & {
  /** At most this number of messages were dropped under earlier layouts, before they were handled; absent if none were. */
  trimmed?: number | undefined;
};

/** Finds the partition of a message in a layout. With `prefix`, the subject contains the partition. */
export type PartitionIn = (
  message: StreamMessage,
  layout: { partitions: number; prefix?: string | undefined },
) => number;

/** What a partition of a resized group inherits from the earlier partitions. */
interface Inherited {
  start: PartitionStart;
  /** True for a message that was handled in its earlier partition, and must not be handled again. */
  isHandled: (message: StreamMessage) => boolean;
}

/**
 * After a resize, a partition starts at the lowest position of the earlier partitions that share keys with it. It skips
 * messages that they had handled.
 *
 * Two partitions share keys if their numbers are equal modulo the greatest common divisor of the two counts. For
 * example, after a resize from 4 to 6, the old partition 0 and the new partition 2 share keys. The exception is a resize
 * from the stream's own layout: each earlier partition may share keys with every new one.
 *
 * @returns undefined if the group was never resized.
 */
export function inheritedBy(
  partition: number,
  layout: GroupLayoutRecord,
  partitionIn: PartitionIn,
): Inherited | undefined {
  const { before } = layout;
  if (!before) return undefined;
  const shared = sharedPositions(partition, layout);
  const earlier = { partitions: before.partitions, prefix: wasOwn(layout) ? layout.prefix : undefined };
  const [lowest, highest] = [Math.min(...shared), Math.max(...shared)];
  const { created, trimmed } = before;
  return {
    // Only partition 0 inherits the number of dropped messages, so that they count only once.
    start: { seq: lowest, created, ...(partition === 0 && trimmed !== undefined && { trimmed }) },
    isHandled: (message) =>
      message.sequence <= highest &&
      message.sequence <= (before.positions[partitionIn(message, earlier)] ?? 0),
  };
}

/**
 * From this sequence on, a partition no longer depends on the partitions before the last resize; 0 if the group was
 * never resized.
 */
export function settledAt(partition: number, layout: GroupLayoutRecord): number {
  return layout.before ? Math.max(...sharedPositions(partition, layout)) : 0;
}

/**
 * If the starts of all partitions are at most this far apart, one reader reads all partitions from the lowest start on.
 */
const NEAR = 2_000;

/**
 * After a resize, one reader can read all partitions from this position. Undefined if they start too far apart, or if
 * the group was never resized.
 */
export function commonStart({ before }: GroupLayoutRecord): number | undefined {
  if (!before) return undefined;
  const lowest = Math.min(...before.positions);
  return Math.max(...before.positions) - lowest <= NEAR ? lowest : undefined;
}

/** The position at which a partition starts if it has no position yet; 0 if the group was never resized. */
export function startsAt(partition: number, layout: GroupLayoutRecord): number {
  return layout.before ? Math.min(...sharedPositions(partition, layout)) : 0;
}

/** A position. `sought`: a seek has moved it since the last resize. */
interface Reached {
  readonly sequence: number;
  readonly sought?: boolean | undefined;
}

/**
 * The partitions that still depend on the partitions before the last resize. While there are any, the group cannot be
 * resized again. After a seek, a partition no longer depends on them.
 *
 * @param positions the positions under this layout.
 */
export function behindResize(layout: GroupLayoutRecord, positions: ReadonlyMap<number, Reached>): number[] {
  if (!layout.before) return [];
  return Array.from({ length: layout.partitions }, (_, partition) => partition).filter((partition) => {
    const { sequence, sought } = positions.get(partition) ?? { sequence: startsAt(partition, layout) };
    return !sought && sequence < settledAt(partition, layout);
  });
}

/** True if the earlier partitions were those of the stream's own layout. */
const wasOwn = ({ prefix, epoch }: GroupLayoutRecord): boolean => prefix !== undefined && epoch === 1;

function sharedPositions(partition: number, layout: GroupLayoutRecord): number[] {
  const { positions = [] } = layout.before ?? {};
  // Under the stream's own layout, a message without a key may have been in any partition. So all positions count.
  const step = wasOwn(layout) ? 1 : divisor(positions.length, layout.partitions);
  const shared: number[] = [];
  for (let earlier = partition % step; earlier < positions.length; earlier += step)
    shared.push(positions[earlier] ?? 0);
  return shared;
}

function divisor(a: number, b: number): number {
  return b === 0 ? a : divisor(b, a % b);
}
