import { mapConcurrently } from '../lib/concurrently.js';
import { NatspocError } from '../lib/errors.js';
import type { DeadLetterFacts, StreamFacts } from '../ports/facts.js';
import type { GroupObserver } from '../ports/observer.js';
import type { LayoutRecord } from '../protocol/layout-records.js';
import { isAboutTheGroup } from './group-fault.js';
import { type GroupStatus, type GroupTotals, NO_TOTALS, totalsOf } from './group-status.js';

const CONCURRENT_GROUPS = 4;

/** `lag` is null if a position is wrong, or if the group cannot be read. */
interface GroupSummary extends GroupTotals {
  group: string;
  /** Number of partitions in which the group has a position. */
  begun: number;
  /** Number of wrong positions; `leases check` gives the reasons. */
  wrongPositions: number;
  /** Why the group cannot be read; null if it was read. The numbers of such a group are unknown. */
  problem: string | null;
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
 * @param groups the names of all groups.
 * @param statusOf reads a group with its own partitions.
 * @throws the errors of the observer and of `statusOf`: no permission, no stream, no answer.
 */
export async function readStreamStatus(
  observer: GroupObserver,
  { layout, keyed }: Pick<StreamStatus, 'layout' | 'keyed'>,
  groups: readonly string[],
  statusOf: (group: string) => Promise<GroupStatus>,
): Promise<StreamStatus> {
  const summaries = await mapConcurrently(groups, CONCURRENT_GROUPS, async (group) => {
    try {
      return summarise(group, await statusOf(group));
    } catch (error) {
      // A fault of one group must not hide the other groups.
      if (!(error instanceof NatspocError) || !isAboutTheGroup(error)) throw error;
      return { ...NO_TOTALS, group, begun: 0, wrongPositions: 0, problem: error.message };
    }
  });
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
    groups: summaries,
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
  const counts = { begun: begun.length, wrongPositions: wrong.length };
  return { group, ...totalsOf(status), ...counts, problem: null };
}

/** The numbers of members as text: `3 running, 1 unreachable`. Unreachable members are dead, but still have a session. */
export function describeMembers({
  members,
  unreachable,
}: Pick<GroupSummary, 'members' | 'unreachable'>): string {
  return `${members} running${unreachable > 0 ? `, ${unreachable} unreachable` : ''}`;
}
