import { mapConcurrently } from '../lib/concurrently.js';
import type { GroupObserver } from '../ports/observer.js';
import type { LeaseStatus } from './group-status.js';

/** Each makes a consumer at the server for a moment: not too many at once. */
const CONCURRENT_LOOKS = 16;

/**
 * Partitions in which a message has waited and nothing was committed for longer than this, and for how long, both in
 * milliseconds. A commit that is old says nothing by itself: after a quiet time it is older than the message that has
 * just come. Only where messages wait behind an old commit, or behind none, the oldest one is asked for. Paused
 * partitions are meant to rest.
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
