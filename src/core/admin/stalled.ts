import { mapConcurrently } from '../lib/concurrently.js';
import { escapeControl } from '../lib/text.js';
import { formatDuration } from '../lib/units.js';
import type { GroupObserver } from '../ports/observer.js';
import type { GroupStatus } from './group-status.js';
import { describeLag } from './lag.js';
import { isEstimate, type LeaseStatus } from './lease-status.js';

/** Each read creates a short-lived consumer on the server. */
const CONCURRENT_LOOKS = 16;

/** A partition that makes no progress although it should. If `partition` is null, the whole member makes none. */
export interface Stall {
  partition: number | null;
  /** Name of the partition's owner, or of the member that makes no progress. */
  member: string | null;
  reason: string;
  forMs: number;
}

/** The stalls that the members report themselves. */
export const reportedStalls = ({ members }: Pick<GroupStatus, 'members'>): Stall[] =>
  members.flatMap(({ name, stats }) => (stats?.standing ?? []).map((each) => ({ ...each, member: name })));

/** A stall as text: `p3 has made no progress for 12 s: 5 messages wait`. */
export function describeStall({ partition, member, reason, forMs }: Stall): string {
  const what = partition === null ? escapeControl(member ?? '') : `p${partition}`;
  return `${what} has made no progress for ${formatDuration(forMs)}: ${escapeControl(reason)}`;
}

/**
 * All stalls of a group, first the stalls that its members report. With `stalledMs`, a partition is also stalled if messages have waited
 * without a commit for longer than that.
 */
export async function findStalls(
  observer: Pick<GroupObserver, 'storedAt'>,
  status: GroupStatus,
  stalledMs: number | undefined,
): Promise<Stall[]> {
  const reported = reportedStalls(status);
  const known = new Set(reported.map(({ partition }) => partition));
  const others = status.partitions.filter(({ partition }) => !known.has(partition));
  return [...reported, ...(stalledMs === undefined ? [] : await readStalled(observer, others, stalledMs))];
}

/**
 * After a quiet time the last commit is old, even if a message has only just arrived. Therefore the age of the oldest waiting message is
 * read as well. Paused partitions are ignored.
 */
async function readStalled(
  observer: Pick<GroupObserver, 'storedAt'>,
  partitions: readonly LeaseStatus[],
  stalledMs: number,
): Promise<Stall[]> {
  const suspects = partitions.filter(
    ({ paused, lag, positionAgeMs }) =>
      !paused && lag && (positionAgeMs ?? Number.POSITIVE_INFINITY) > stalledMs,
  );
  const stalls = await mapConcurrently(suspects, CONCURRENT_LOOKS, async (suspect): Promise<Stall[]> => {
    const { partition, position, positionAgeMs, owner: member, lag } = suspect;
    const storedAt = await observer.storedAt(partition, position ?? 0);
    if (storedAt === null) return [];
    const forMs = Math.min(Date.now() - storedAt, positionAgeMs ?? Number.POSITIVE_INFINITY);
    return forMs > stalledMs
      ? [{ partition, member, reason: describeLag(lag ?? 0, isEstimate(suspect)), forMs }]
      : [];
  });
  return stalls.flat();
}
