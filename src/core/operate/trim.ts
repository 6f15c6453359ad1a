import type { EndFacts, StreamFacts } from '../observe/facts.js';
import type { GroupObserver } from '../observe/observer.js';
import { mapConcurrently } from './concurrently.js';

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
}

/**
 * What every group has handled, partition by partition. A group that has not begun in a partition holds all of it
 * back: it has to be able to start with the first message.
 */
export async function planTrim(
  observers: ReadonlyMap<string, GroupObserver>,
  source: { stream: StreamFacts; ends: readonly EndFacts[]; observer: Pick<GroupObserver, 'waiting'> },
): Promise<TrimStep[]> {
  const positions = new Map<string, Map<number, number>>();
  for (const [group, observer] of observers) {
    const facts = await observer.positions();
    positions.set(group, new Map(facts.map((each) => [each.partition, each.sequence])));
  }
  const ends = new Map(source.ends.map((each) => [each.partition, each.sequence]));
  return mapConcurrently(
    [...source.stream.counts.entries()],
    CONCURRENT_COUNTS,
    async ([partition, count]) => {
      let upTo: number | null = null;
      let heldBackBy: string | null = null;
      for (const [group, of] of positions) {
        const position = of.get(partition) ?? 0;
        if (upTo !== null && position >= upTo) continue;
        upTo = position;
        heldBackBy = group;
      }
      const nothing = { partition, upTo: null, messages: 0, kept: count, heldBackBy };
      if (upTo === null || upTo === 0 || count === 0) return nothing;
      const end = ends.get(partition) ?? 0;
      const kept = upTo >= end ? 0 : (await source.observer.waiting(partition, upTo)).count;
      const messages = Math.max(0, count - kept);
      return messages === 0 ? nothing : { partition, upTo, messages, kept, heldBackBy };
    },
  );
}
