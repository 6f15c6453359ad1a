import { keys } from '../group/records.js';
import type { Bucket } from '../ports.js';

/** How fencing ended. `alive`: the session renews faster than we can delete it. */
export type FenceOutcome = { kind: 'fenced' } | { kind: 'alive' } | { kind: 'failed'; message: string };

/** A member renews every third of its ttl: more than two conflicts in a row mean that something else is wrong. */
const ATTEMPTS = 3;

/**
 * Deletes a session by compare-and-set: from then on its leases are orphans and its commits fail. Its renewals stay:
 * the last one tells how long nobody handled its partitions.
 */
export async function fenceSession(bucket: Bucket, group: string, session: string): Promise<FenceOutcome> {
  const key = keys.session(group, session);
  let renews = false;
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const found = await bucket.read(key);
    if (found.kind === 'failed') return { kind: 'failed', message: found.error.message };
    if (found.kind === 'unknown') continue;
    if (found.kind === 'missing' || found.entry.value === null) return { kind: 'fenced' };
    const removed = await bucket.remove(key, found.entry.revision, { keepPast: true });
    if (removed.kind === 'ok') return { kind: 'fenced' };
    if (removed.kind === 'failed') return { kind: 'failed', message: removed.error.message };
    if (removed.kind === 'conflict') renews = true;
  }
  return renews ? { kind: 'alive' } : { kind: 'failed', message: 'the server did not answer in time' };
}
