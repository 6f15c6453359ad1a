import { NatspocError } from '../lib/errors.js';
import type { DeadLetterFacts, StreamFacts } from '../ports/facts.js';
import type { GroupObserver } from '../ports/observer.js';
import type { LayoutRecord } from '../protocol/layout-records.js';
import { type GroupStatus, type GroupTotals, totalsOf } from './group-status.js';
import { readGroupStatus } from './read-group-status.js';

/** `lag` is null if a position is wrong. */
interface GroupSummary extends GroupTotals {
  group: string;
  /** Number of partitions in which the group has a position. */
  begun: number;
  /** Number of wrong positions; `leases check` gives the reasons. */
  wrongPositions: number;
}

/** For a keyed group only `partition` is known, because the server cannot count by key. */
interface PartitionSummary {
  partition: number;
  /** Null if the server cannot count them. */
  messages: number | null;
  /** The sequence and time of the last message, in whole milliseconds since 1970; null if the partition is empty. */
  end: number | null;
  lastAtMs: number | null;
}

/** A stream, its partitions and its groups at one moment. */
export interface StreamStatus {
  stream: StreamFacts;
  layout: LayoutRecord;
  /** For a keyed group: its key, and the subjects that it handles. */
  keyed: { key: string; filter: string } | null;
  partitions: PartitionSummary[];
  groups: GroupSummary[];
  /** The dead letters of the stream; null if reading them is not permitted. */
  deadLetters: DeadLetterFacts | null;
}

/**
 * Reads the status of a stream once.
 *
 * @param observers an observer for each group of the stream.
 * @throws the errors of the observers: no permission, no stream, no answer.
 */
export async function readStreamStatus(
  observer: GroupObserver,
  { layout, keyed }: Pick<StreamStatus, 'layout' | 'keyed'>,
  observers: ReadonlyMap<string, GroupObserver>,
): Promise<StreamStatus> {
  const groups: GroupSummary[] = [];
  for (const [group, each] of observers) {
    groups.push(summarise(group, await readGroupStatus(each, layout.partitions)));
  }
  const [stream, ends, deadLetters] = await Promise.all([
    observer.stream(),
    keyed ? [] : observer.ends(),
    readDeadLetters(observer),
  ]);
  const last = new Map(ends.map((each) => [each.partition, each]));
  return {
    stream,
    layout,
    keyed,
    partitions: Array.from({ length: layout.partitions }, (_, partition) => {
      const end = last.get(partition);
      return {
        partition,
        messages: stream.counts[partition] ?? null,
        end: end?.sequence ?? null,
        lastAtMs: end ? Math.round(end.atMs) : null,
      };
    }),
    groups,
    deadLetters,
  };
}

/** The dead letters of a stream; null if reading them is not permitted. */
export async function readDeadLetters(
  observer: Pick<GroupObserver, 'deadLetters'>,
): Promise<DeadLetterFacts | null> {
  try {
    return await observer.deadLetters(null);
  } catch (error) {
    if (error instanceof NatspocError && error.code === 'not-permitted') return null;
    throw error;
  }
}

function summarise(group: string, status: GroupStatus): GroupSummary {
  const wrong = status.partitions.filter(({ positionFault }) => positionFault !== null);
  const begun = status.partitions.filter(
    ({ position, positionFault }) => (positionFault ?? position) !== null,
  );
  return { group, ...totalsOf(status), begun: begun.length, wrongPositions: wrong.length };
}

/** The numbers of members as text: `3 running, 1 unreachable`. Unreachable members are dead, but still have a session. */
export function describeMembers({
  members,
  unreachable,
}: Pick<GroupSummary, 'members' | 'unreachable'>): string {
  return `${members} running${unreachable > 0 ? `, ${unreachable} unreachable` : ''}`;
}
