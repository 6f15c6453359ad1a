import { mapConcurrently } from '../lib/concurrently.js';
import type { PositionFacts } from '../ports/facts.js';
import type { GroupObserver } from '../ports/observer.js';
import type { GroupLayoutRecord } from '../protocol/layout-records.js';
import { positionsNow } from './group-layout.js';
import { type PositionFault, readPositionFaults } from './position-fault.js';

const CONCURRENT_COUNTS = 16;

/** The messages that can be deleted from one partition. */
export interface TrimStep {
  partition: number;
  /** All groups have handled all messages up to and including this sequence; null if nothing can be deleted. */
  upTo: number | null;
  /** Number of messages that would be deleted, and of messages that would stay. */
  messages: number;
  kept: number;
  /** The group that is furthest behind; null if there are no groups. */
  heldBackBy: string | null;
  /** The fault of the position of the group that is furthest behind; null if the position has no fault. */
  fault: PositionFault | null;
}

/**
 * Plans a trim: for each partition, the messages that every group has handled. If a group has no position in a partition,
 * the trim deletes nothing in the partition, so that the group can start with the first message. If the position of a group
 * is wrong (see {@link readPositionFaults}), the trim also deletes nothing in the partition.
 *
 * @param layouts the layouts of keyed groups. The partitions of a keyed group differ from the partitions of the stream. So
 *   the trim deletes no message after the lowest position of a keyed group.
 */
export async function planTrim(
  observers: ReadonlyMap<string, GroupObserver>,
  observer: Pick<GroupObserver, 'stream' | 'ends' | 'waiting' | 'storedTime'>,
  layouts: ReadonlyMap<string, GroupLayoutRecord> = new Map(),
): Promise<TrimStep[]> {
  const found = new Map<string, PositionFacts[]>();
  for (const [group, each] of observers) found.set(group, await each.positions());
  // The stream is read after the positions. In the other order, the stream could grow between the two reads, and a position
  // could be beyond the end that was read.
  const stream = await observer.stream();
  // The ends of the partitions are read after the stream, so that they include every message counted in the stream's state.
  const last = await observer.ends();
  const ends = new Map(last.map((each) => [each.partition, each.sequence]));
  const groups = new Map<string, GroupPositions>();
  for (const [group, positions] of found) {
    const layout = layouts.get(group);
    const now = positionsNow(positions, layout, 0);
    const known = {
      positions: new Map(now.map((each) => [each.partition, each.sequence])),
      faults: await readPositionFaults(observer, now, stream),
    };
    groups.set(group, layout ? lowestOf(known, layout.partitions, stream.counts.length) : known);
  }
  return mapConcurrently([...stream.counts.entries()], CONCURRENT_COUNTS, async ([partition, count]) => {
    const { upTo, ...held } = leastOf(groups, partition);
    const end = ends.get(partition) ?? 0;
    const nothing = { partition, upTo: null, messages: 0, kept: count, ...held };
    if (upTo === 0 || count === 0) return nothing;
    const kept = upTo >= end ? 0 : (await observer.waiting(partition, upTo)).count;
    const messages = Math.max(0, count - kept);
    return messages === 0 ? nothing : { partition, upTo, messages, kept, ...held };
  });
}

/** The positions of a group, and their faults. */
interface GroupPositions {
  positions: ReadonlyMap<number, number>;
  faults: ReadonlyMap<number, PositionFault>;
}

/**
 * Converts the positions of a keyed group into positions in the partitions of the stream. Each partition of the stream may
 * hold messages of any partition of the group, so the lowest position counts for all partitions of the stream.
 */
function lowestOf(
  { positions, faults }: GroupPositions,
  partitions: number,
  ofStream: number,
): GroupPositions {
  const own = Array.from({ length: partitions }, (_, partition) => positions.get(partition) ?? 0);
  const lowest = Math.min(...own);
  const [fault] = faults.values();
  const all = Array.from({ length: ofStream }, (_, partition) => partition);
  return {
    positions: new Map(all.map((partition) => [partition, lowest])),
    faults: new Map(fault === undefined ? [] : all.map((partition) => [partition, fault])),
  };
}

/**
 * The group that is furthest behind in a partition, and the last sequence that this group is known to have handled; 0 if
 * there is no such sequence.
 */
function leastOf(
  groups: ReadonlyMap<string, GroupPositions>,
  partition: number,
): Pick<TrimStep, 'heldBackBy' | 'fault'> & { upTo: number } {
  let least: ReturnType<typeof leastOf> = { upTo: Number.POSITIVE_INFINITY, heldBackBy: null, fault: null };
  for (const [group, { positions, faults }] of groups) {
    const fault = faults.get(partition) ?? null;
    const upTo = fault === null ? (positions.get(partition) ?? 0) : 0;
    // If one group has a wrong position and another group has no position, the group with the wrong position is reported.
    if (upTo < least.upTo || (upTo === least.upTo && fault !== null))
      least = { upTo, heldBackBy: group, fault };
  }
  return least.heldBackBy === null ? { ...least, upTo: 0 } : least;
}
