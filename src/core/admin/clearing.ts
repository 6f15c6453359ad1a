import { mapConcurrently } from '../lib/concurrently.js';
import { clearedUpTo } from '../member/partition/cleared.js';
import type { EndFacts, PositionFacts, StreamFacts } from '../ports/facts.js';
import type { GroupObserver } from '../ports/observer.js';
import type { ClearedRecord, StartRecord } from '../protocol/position-records.js';
import { readPositionFaults } from './position-fault.js';

const CONCURRENT_READS = 16;

/** The planned {@link ClearedRecord} of one partition of a group. */
export interface Clearing extends Pick<ClearedRecord, 'seq' | 'purged'> {
  group: string;
  partition: number;
}

/** The dependencies of {@link planClearing}. */
export interface ClearingPorts {
  /** The groups that use the stream's own partitions. Other groups need no records. */
  observers: ReadonlyMap<string, Pick<GroupObserver, 'positions'>>;
  observer: Pick<GroupObserver, 'stream' | 'ends' | 'sequences' | 'storedTime'>;
  /** The start of a group's partitions without a position; undefined if it is not decided, or cannot be read. */
  start: (group: string) => Promise<StartRecord | undefined>;
  /** The record of an operator's earlier deletion; undefined if there is none, or if it cannot be decoded. */
  cleared: (group: string, partition: number) => Promise<ClearedRecord | undefined>;
}

/**
 * Plans the records to write before an operator deletes messages. A record says up to which sequence no message of a partition waits. A
 * partition gets no record if its position is wrong, or if messages may have been lost unnoticed.
 *
 * @param deletedUpTo up to this sequence the messages of a partition will be deleted; 0 if none will be deleted.
 */
export async function planClearing(
  { observers, observer, start, cleared }: ClearingPorts,
  deletedUpTo: (partition: number) => number,
): Promise<{ created: number | undefined; clearings: Clearing[] }> {
  const groups = await mapConcurrently([...observers], CONCURRENT_READS, async ([group, each]) => ({
    group,
    stored: await each.positions(),
    start: await start(group),
  }));
  // The order of the reads matters: positions, end of the stream, waiting messages, beginning of the stream. If the last read shows that
  // the stream still begins at or before a message, the earlier reads could see the message.
  const stream = await observer.stream();
  const ends = new Map((await observer.ends()).map((each): [number, EndFacts] => [each.partition, each]));
  const found: (Clearing & { known: number })[] = [];
  for (const { group, stored, start: from } of groups) {
    const sound = await soundPositions(observer, stored, from, stream);
    await mapConcurrently(sound, CONCURRENT_READS, async ({ partition, sequence }) => {
      const before = ofStream(await cleared(group, partition), stream);
      // An operator has deleted waiting messages. They count as lost until the position has passed them.
      if (before?.purged !== undefined && sequence < before.purged) return;
      const known = Math.max(
        sequence,
        clearedUpTo(before, stream.createdAtMs),
        forgiven(sequence, from, stream),
      );
      const isBehind = (ends.get(partition)?.sequence ?? 0) > sequence;
      const [waiting] = isBehind ? await observer.sequences(partition, sequence, 1) : [];
      // The messages after the position were deleted meanwhile.
      if (isBehind && waiting === undefined) return;
      const seq = Math.min(
        waiting === undefined ? Number.POSITIVE_INFINITY : waiting - 1,
        stream.lastSequence,
      );
      const until = Math.min(deletedUpTo(partition), stream.lastSequence);
      found.push({
        ...{ group, partition, seq, known },
        ...(waiting !== undefined && waiting <= until && { purged: until }),
      });
    });
  }
  const after = await observer.stream();
  const isSame = after.createdAtMs === stream.createdAtMs;
  const clearings = found.filter(({ known }) => isSame && isAllKnown(known, after));
  return {
    created: stream.createdAtMs,
    clearings: clearings.map(({ known, ...clearing }) => clearing),
  };
}

/**
 * True if every deleted message of the partition was handled. If nothing was handled yet, this is certain only if the stream has dropped no
 * message at all.
 *
 * @param known up to this sequence no message of the partition is missing.
 */
function isAllKnown(known: number, { firstSequence, lastSequence, messages }: StreamFacts): boolean {
  return known > 0 ? firstSequence <= known + 1 : messages === lastSequence;
}

/** The positions without a fault. A partition without a position is at the start of its group. */
async function soundPositions(
  observer: Pick<GroupObserver, 'storedTime'>,
  stored: readonly PositionFacts[],
  start: StartRecord | undefined,
  stream: StreamFacts,
): Promise<PositionFacts[]> {
  const known = new Map(stored.map((each) => [each.partition, each]));
  const positions = [...stream.counts.keys()].flatMap((partition): PositionFacts[] => {
    const position = known.get(partition);
    if (position) return [position];
    if (!start) return [];
    const { seq: sequence, created, stored: storedMs } = start;
    return [
      {
        ...{ partition, sequence, epoch: 0, atMs: 0 },
        ...(created !== undefined && { created }),
        ...(storedMs !== undefined && { stored: storedMs }),
      },
    ];
  });
  const faults = await readPositionFaults(observer, positions, stream);
  return positions.filter(({ partition }) => !faults.has(partition));
}

/**
 * Up to this sequence, missing messages are no loss, because they may be older than the group. 0 if the partition has left the group's
 * start.
 */
function forgiven(sequence: number, start: StartRecord | undefined, stream: StreamFacts): number {
  return start && sequence <= start.seq ? (ofStream(start, stream)?.end ?? 0) : 0;
}

/** The record, unless it belongs to an earlier stream of the same name. */
function ofStream<R extends Pick<ClearedRecord, 'created'>>(
  record: R | undefined,
  { createdAtMs: created }: StreamFacts,
): R | undefined {
  const isOther = created !== undefined && record?.created !== undefined && record.created !== created;
  return isOther ? undefined : record;
}
