import { mapConcurrently } from '../lib/concurrently.js';
import type { GroupObserver } from '../ports/observer.js';
import type { LeaseStatus } from './group-status.js';

/** Limit of parallel reads: each creates a short-lived consumer at the server. */
const CONCURRENT_LOOKS = 16;

/**
 * Partitions in which a message has waited, and nothing was committed, for longer than this; with the time, both in
 * milliseconds. An old commit alone proves nothing: after a quiet time it is older than a message that has just
 * arrived. So if messages wait and the last commit is old or missing, the oldest waiting message is read. Paused
 * partitions are ignored.
 */
export async function readStalled(
  observer: Pick<GroupObserver, 'storedAt'>,
  leases: readonly LeaseStatus[],
  stalledMs: number,
): Promise<Map<number, number>> {
  const suspects = leases.filter(
    ({ paused, lag, positionAgeMs }) =>
      !paused && lag && (positionAgeMs ?? Number.POSITIVE_INFINITY) > stalledMs,
  );
  const stalled = new Map<number, number>();
  await mapConcurrently(suspects, CONCURRENT_LOOKS, async ({ partition, position, positionAgeMs }) => {
    const storedAt = await observer.storedAt(partition, position ?? 0);
    if (storedAt === null) return;
    const forMs = Math.min(Date.now() - storedAt, positionAgeMs ?? Number.POSITIVE_INFINITY);
    if (forMs > stalledMs) stalled.set(partition, forMs);
  });
  return stalled;
}
