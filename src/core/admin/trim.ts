import { mapConcurrently } from '../lib/concurrently.js';
import type { PositionFacts } from '../ports/facts.js';
import type { GroupObserver } from '../ports/observer.js';
import type { GroupLayoutRecord } from '../protocol/layout-records.js';
import { positionsNow } from './group-layout.js';
import { exactly } from './message-counts.js';
import { type PositionFault, readPositionFaults } from './position-fault.js';

const CONCURRENT_COUNTS = 16;

/** The messages that can be deleted from one partition. */
export interface TrimStep {
  partition: number;
  /** The last sequence that all groups have handled; null if nothing can be deleted. */
  upTo: number | null;
  /** How many messages would be deleted (`messages`), and how many would stay (`kept`). */
  messages: number;
  kept: number;
  /** The group that is furthest behind; null if there are no groups. */
  heldBackBy: string | null;
  /** The fault of that group's position; null if it has none. */
  fault: PositionFault | null;
}

/**
 * Plans a trim of the messages that every group has handled. Nothing is deleted in a partition where a group has no position. The group can
 * then start with the first message. The same holds for a group with a wrong position (see {@link readPositionFaults}).
 *
 * @param readLayouts reads the layouts of keyed and resized groups. Called after the positions are read, because a layout shows to which
 *   partitions they belong. An earlier layout could miss a resize.
 */
export async function planTrim(
  observers: ReadonlyMap<string, GroupObserver>,
  observer: Pick<GroupObserver, 'stream' | 'ends' | 'waiting' | 'storedTime'>,
  readLayouts: () => Promise<ReadonlyMap<string, GroupLayoutRecord>> = async () => new Map(),
): Promise<TrimStep[]> {
  const found = new Map<string, PositionFacts[]>();
  for (const [group, each] of observers) found.set(group, await each.positions());
  const layouts = await readLayouts();
  // The stream is read after the positions. Otherwise a position could lie beyond the end that was read.
  const stream = await observer.stream();
  // The ends are read last, so that they include every message in `stream.counts`.
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
  const after = async (partition: number, sequence: number): Promise<number> => {
    const { count, isEstimate = false } = await observer.waiting(partition, sequence);
    return exactly({ messages: count, isEstimate }, 'plan the trim');
  };
  return mapConcurrently([...stream.counts.entries()], CONCURRENT_COUNTS, async ([partition, count]) => {
    const { upTo, ...held } = leastOf(groups, partition);
    const end = ends.get(partition) ?? 0;
    const nothing = { partition, upTo: null, messages: 0, kept: count, ...held };
    if (upTo === 0 || count === 0) return nothing;
    const kept = upTo >= end ? 0 : await after(partition, upTo);
    const messages = Math.max(0, count - kept);
    return messages === 0 ? nothing : { partition, upTo, messages, kept, ...held };
  });
}

/** The part of a plan that a later plan still permits: in each partition the step that deletes less. */
export function stillPermitted(plan: readonly TrimStep[], later: readonly TrimStep[]): TrimStep[] {
  const now = new Map(later.map((step) => [step.partition, step]));
  return plan.map((step) => {
    const less = now.get(step.partition);
    return less && (less.upTo ?? 0) < (step.upTo ?? 0) ? less : step;
  });
}

interface GroupPositions {
  positions: ReadonlyMap<number, number>;
  faults: ReadonlyMap<number, PositionFault>;
}

/**
 * Converts the positions of a keyed group into positions in the partitions of the stream. A partition of the stream can hold messages of
 * every partition of the group. The lowest position therefore counts everywhere.
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

/** The group that is furthest behind in a partition. `upTo` is the last sequence it is known to have handled, or 0. */
function leastOf(
  groups: ReadonlyMap<string, GroupPositions>,
  partition: number,
): Pick<TrimStep, 'heldBackBy' | 'fault'> & { upTo: number } {
  let least: ReturnType<typeof leastOf> = { upTo: Number.POSITIVE_INFINITY, heldBackBy: null, fault: null };
  for (const [group, { positions, faults }] of groups) {
    const fault = faults.get(partition) ?? null;
    const upTo = fault === null ? (positions.get(partition) ?? 0) : 0;
    // A group with a wrong position is reported rather than a group without a position.
    if (upTo < least.upTo || (upTo === least.upTo && fault !== null))
      least = { upTo, heldBackBy: group, fault };
  }
  return least.heldBackBy === null ? { ...least, upTo: 0 } : least;
}
