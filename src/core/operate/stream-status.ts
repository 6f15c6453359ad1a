import type { LayoutRecord } from '../group/records.js';
import type { EndFacts, StreamFacts } from '../observe/facts.js';
import type { GroupObserver } from '../observe/observer.js';
import { readLags } from './lag.js';

/** A group as its stream sees it. */
interface GroupSummary {
  group: string;
  members: number;
  /** Partitions whose leases name an owner. */
  owned: number;
  /** Partitions in which it has a position. */
  begun: number;
  /** Messages that wait for it. */
  lag: number;
}

/** What a partition holds. */
interface PartitionSummary {
  partition: number;
  messages: number;
  /** Sequence of its last message, and when it was stored; null: empty. */
  end: number | null;
  lastAtMs: number | null;
}

/** A stream, its partitions and its groups at one moment. */
export interface StreamStatus {
  stream: StreamFacts;
  layout: LayoutRecord;
  partitions: PartitionSummary[];
  groups: GroupSummary[];
}

/**
 * Looks at a stream once.
 *
 * @param observers one for each group of the stream.
 * @throws what an observer throws: no permission, no stream, no answer.
 */
export async function readStreamStatus(
  observer: GroupObserver,
  layout: LayoutRecord,
  observers: ReadonlyMap<string, GroupObserver>,
): Promise<StreamStatus> {
  const [stream, ends] = await Promise.all([observer.stream(), observer.ends()]);
  const last = new Map(ends.map((each) => [each.partition, each]));
  const groups: GroupSummary[] = [];
  for (const [group, each] of observers) groups.push(await summariseGroup(group, each, layout, last));
  return {
    stream,
    layout,
    partitions: stream.counts.map((messages, partition) => ({
      partition,
      messages,
      end: last.get(partition)?.sequence ?? null,
      lastAtMs: last.get(partition)?.atMs ?? null,
    })),
    groups,
  };
}

async function summariseGroup(
  group: string,
  observer: GroupObserver,
  layout: LayoutRecord,
  ends: ReadonlyMap<number, EndFacts>,
): Promise<GroupSummary> {
  const [entries, positions] = await Promise.all([observer.entries(), observer.positions()]);
  const position = new Map(positions.map((each) => [each.partition, each.sequence]));
  const lags = await readLags(
    observer,
    Array.from({ length: layout.partitions }, (_, partition) => ({
      partition,
      position: position.get(partition) ?? null,
      end: ends.get(partition)?.sequence ?? null,
    })),
  );
  let members = 0;
  let owned = 0;
  for (const { entry } of entries) {
    if (entry.kind === 'override' || entry.record === null || entry.record === 'unreadable') continue;
    if (entry.kind === 'session') members++;
    else if (entry.record.owner !== null && entry.partition < layout.partitions) owned++;
  }
  const lag = [...lags.values()].reduce((sum, each) => sum + each, 0);
  return { group, members, owned, begun: position.size, lag };
}
