import type { GroupLayoutRecord } from './layout-records.js';
import type { StreamMessage } from './message.js';
import type { StartRecord } from './position-records.js';

/** Where a partition that has no position under its layout starts. */
export type PartitionStart = Pick<StartRecord, 'seq' | 'end' | 'created' | 'stored'> & {
  /** Upper bound of messages that the stream dropped before they were handled, under earlier layouts; absent: none. */
  trimmed?: number | undefined;
};

/**
 * The partition of a message for this number of partitions; `prefix`: the subject under this prefix names the
 * partition.
 */
export type PartitionIn = (
  message: StreamMessage,
  layout: { partitions: number; prefix?: string | undefined },
) => number;

/** What a partition of a resized group takes over from the earlier partitions. */
interface Inherited {
  start: PartitionStart;
  /** True for a message that was handled in its earlier partition: it must not be handled again. */
  isHandled: (message: StreamMessage) => boolean;
}

/**
 * A partition after a resize starts at the lowest position of the earlier ones that share keys with it, and passes over what
 * these had handled. Keys are shared where both numbers are equal modulo the greatest common divisor of the two counts; those of
 * the stream's own layout share keys with all.
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
    // A loss is reported only once.
    start: { seq: lowest, created, ...(partition === 0 && trimmed !== undefined && { trimmed }) },
    isHandled: (message) =>
      message.sequence <= highest &&
      message.sequence <= (before.positions[partitionIn(message, earlier)] ?? 0),
  };
}

/**
 * From this sequence on, a partition does not depend on the partitions before the last resize; 0: there was
 * none.
 */
export function settledAt(partition: number, layout: GroupLayoutRecord): number {
  return layout.before ? Math.max(...sharedPositions(partition, layout)) : 0;
}

/** Partitions that start no further apart than this are read by one reader, beginning with the first of them; in sequences. */
const NEAR = 2_000;

/** The position from which all partitions can be read after a resize; undefined: they start too far apart, or it was never resized. */
export function commonStart({ before }: GroupLayoutRecord): number | undefined {
  if (!before) return undefined;
  const lowest = Math.min(...before.positions);
  return Math.max(...before.positions) - lowest <= NEAR ? lowest : undefined;
}

/** Where a partition that has no position yet starts; 0: the group was never resized. */
export function startsAt(partition: number, layout: GroupLayoutRecord): number {
  return layout.before ? Math.min(...sharedPositions(partition, layout)) : 0;
}

/** What is known of a position: where it is, and whether a seek has moved it since the last resize. */
interface Reached {
  readonly sequence: number;
  readonly sought?: boolean | undefined;
}

/**
 * The partitions that have not handled what the last resize left: until then the partitions before it matter,
 * and the group cannot be resized again. A position that a seek has moved passes over nothing.
 *
 * @param positions those under this layout.
 */
export function behindResize(layout: GroupLayoutRecord, positions: ReadonlyMap<number, Reached>): number[] {
  if (!layout.before) return [];
  return Array.from({ length: layout.partitions }, (_, partition) => partition).filter((partition) => {
    const { sequence, sought } = positions.get(partition) ?? { sequence: startsAt(partition, layout) };
    return !sought && sequence < settledAt(partition, layout);
  });
}

/** The earlier partitions were those of the stream's own layout. */
const wasOwn = ({ prefix, epoch }: GroupLayoutRecord): boolean => prefix !== undefined && epoch === 1;

function sharedPositions(partition: number, layout: GroupLayoutRecord): number[] {
  const { positions = [] } = layout.before ?? {};
  // A message without a key may have been in any of them.
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
