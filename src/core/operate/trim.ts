import type { PositionFacts } from '../observe/facts.js';
import type { GroupObserver } from '../observe/observer.js';
import { mapConcurrently } from './concurrently.js';
import { type PositionFault, positionFault } from './position-fault.js';

const CONCURRENT_COUNTS = 16;

/** What can be deleted of one partition. */
export interface TrimStep {
  partition: number;
  /** Up to and including this sequence every group has handled everything; null: nothing can be deleted. */
  upTo: number | null;
  /** Messages that would be deleted, and those that would stay. */
  messages: number;
  kept: number;
  /** The group that is least far; null where there is none. */
  heldBackBy: string | null;
  /** Why the position of that group says nothing about what it has handled; null: it does. */
  fault: PositionFault | null;
}

/**
 * What every group has handled, partition by partition. A group that has not begun in a partition holds all of it
 * back: it has to be able to start with the first message. So does one whose position is wrong: see {@link positionFault}.
 */
export async function planTrim(
  observers: ReadonlyMap<string, GroupObserver>,
  observer: Pick<GroupObserver, 'stream' | 'ends' | 'waiting'>,
): Promise<TrimStep[]> {
  const positions = new Map<string, Map<number, PositionFacts>>();
  for (const [group, observer] of observers) {
    const facts = await observer.positions();
    positions.set(group, new Map(facts.map((each) => [each.partition, each])));
  }
  // After the positions, so that none is beyond an end that has grown meanwhile.
  const [{ counts, lastSequence }, found] = await Promise.all([observer.stream(), observer.ends()]);
  const ends = new Map(found.map((each) => [each.partition, each.sequence]));
  return mapConcurrently([...counts.entries()], CONCURRENT_COUNTS, async ([partition, count]) => {
    const { upTo, ...held } = leastOf(positions, partition, lastSequence);
    const nothing = { partition, upTo: null, messages: 0, kept: count, ...held };
    if (upTo === 0 || count === 0) return nothing;
    const end = ends.get(partition) ?? 0;
    const kept = upTo >= end ? 0 : (await observer.waiting(partition, upTo)).count;
    const messages = Math.max(0, count - kept);
    return messages === 0 ? nothing : { partition, upTo, messages, kept, ...held };
  });
}

/** Up to where the group that is least far has certainly handled a partition, and which that is; 0: not at all. */
function leastOf(
  positions: ReadonlyMap<string, ReadonlyMap<number, PositionFacts>>,
  partition: number,
  lastSequence: number,
): Pick<TrimStep, 'heldBackBy' | 'fault'> & { upTo: number } {
  let least: ReturnType<typeof leastOf> = { upTo: Number.POSITIVE_INFINITY, heldBackBy: null, fault: null };
  for (const [group, of] of positions) {
    const position = of.get(partition);
    const fault = positionFault(position, lastSequence);
    const upTo = fault === null ? (position?.sequence ?? 0) : 0;
    // What is wrong is told rather than what has not begun.
    if (upTo < least.upTo || (upTo === least.upTo && fault !== null))
      least = { upTo, heldBackBy: group, fault };
  }
  return least.heldBackBy === null ? { ...least, upTo: 0 } : least;
}
