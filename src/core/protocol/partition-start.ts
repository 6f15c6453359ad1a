import type { GroupLayoutRecord } from './layout-records.js';
import type { StreamMessage } from './message.js';
import type { StartRecord } from './position-records.js';

/** Where a partition that has no position under its layout starts. */
export type PartitionStart = Pick<StartRecord, 'seq' | 'end' | 'created' | 'stored'> & {
  /**
   * Upper bound on the number of messages that the stream dropped under earlier layouts, before they were handled; absent if none were
   * dropped.
   */
  trimmed?: number | undefined;
};

/**
 * Finds the partition of a message in a layout with this number of partitions. With `prefix`, the subject under this prefix names the
 * partition.
 */
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
 * After a resize, a partition starts at the lowest position of the earlier partitions that share keys with it. The partition skips messages
 * that the earlier partitions had handled. Two partitions share keys if their numbers are equal modulo the greatest common divisor of the
 * two counts. The exception is a resize from the stream's own layout: then each earlier partition may share keys with every new partition.
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
    // Only partition 0 inherits the number of dropped messages, so that these messages are counted only once.
    start: { seq: lowest, created, ...(partition === 0 && trimmed !== undefined && { trimmed }) },
    isHandled: (message) =>
      message.sequence <= highest &&
      message.sequence <= (before.positions[partitionIn(message, earlier)] ?? 0),
  };
}

/**
 * From this sequence on, a partition no longer depends on the partitions before the last resize. The sequence is 0 if the group was never
 * resized.
 */
export function settledAt(partition: number, layout: GroupLayoutRecord): number {
  return layout.before ? Math.max(...sharedPositions(partition, layout)) : 0;
}

/** If the starts of all partitions are at most this number of sequences apart, one reader reads all partitions from the lowest start on. */
const NEAR = 2_000;

/**
 * The position from which one reader can read all partitions after a resize. Returns undefined if the partitions start too far apart, or if
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

/** The known facts about a position: its sequence, and whether a seek has moved the position since the last resize. */
interface Reached {
  readonly sequence: number;
  readonly sought?: boolean | undefined;
}

/**
 * The partitions that still depend on the partitions before the last resize. While any partition does, the group cannot be resized again. A
 * partition no longer depends on earlier partitions once a seek has moved its position.
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
  // Under the stream's own layout, a message without a key may have been in any partition, so all positions count.
  const step = wasOwn(layout) ? 1 : divisor(positions.length, layout.partitions);
  const shared: number[] = [];
  for (let earlier = partition % step; earlier < positions.length; earlier += step)
    shared.push(positions[earlier] ?? 0);
  return shared;
}

/** The greatest common divisor. */
function divisor(a: number, b: number): number {
  return b === 0 ? a : divisor(b, a % b);
}
