import type { Clock } from '../lib/clock.js';
import type { Bucket, ReadOutcome } from '../ports/index.js';
import { decodeSession, keys } from '../protocol/records.js';

/** How fencing ended. `alive`: the member renews faster than its proof of life can be deleted. */
export type FenceOutcome = { kind: 'fenced' } | { kind: 'alive' } | { kind: 'failed'; message: string };

/** A member renews several times a second: more conflicts in a row mean that something else is wrong. */
const ATTEMPTS = 5;

/**
 * Fences a member, well or not. First its proof of life is deleted by compare-and-set, so that no renewal succeeds any
 * more; then, when nothing of it can run any longer, its session, so that all see it. Its renewals stay: the last one
 * tells how long nobody handled its partitions. Where this ends half way, the members do the rest.
 */
export async function fenceMember(
  { bucket, clock }: { bucket: Bucket; clock: Clock },
  group: string,
  session: string,
): Promise<FenceOutcome> {
  const ended = await remove(bucket, keys.proof(group, session), true);
  if (ended.kind !== 'fenced') return ended;
  const waitMs = graceOf(await bucket.read(keys.session(group, session)));
  await new Promise<void>((resolve) => void clock.at(clock.now() + waitMs, resolve));
  return remove(bucket, keys.session(group, session), false);
}

/** Deletes a key as it is. `always`: also where there is none: then none can come any more. */
async function remove(bucket: Bucket, key: string, always: boolean): Promise<FenceOutcome> {
  let conflicts = false;
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const found = await bucket.read(key);
    if (found.kind === 'failed') return { kind: 'failed', message: found.error.message };
    if (found.kind === 'unknown') continue;
    if (found.kind === 'missing' ? !always : found.entry.value === null) return { kind: 'fenced' };
    const revision = found.kind === 'missing' ? 0 : found.entry.revision;
    const removed = await bucket.remove(key, revision, { keepPast: true });
    if (removed.kind === 'ok') return { kind: 'fenced' };
    if (removed.kind === 'failed') return { kind: 'failed', message: removed.error.message };
    if (removed.kind === 'conflict') conflicts = true;
  }
  return conflicts ? { kind: 'alive' } : { kind: 'failed', message: 'the server did not answer in time' };
}

/** How long after its last renewal a member may act; of a session that cannot be read nothing is known. */
function graceOf(found: ReadOutcome): number {
  const record = found.kind === 'found' && found.entry.value ? decodeSession(found.entry.value) : undefined;
  return record ? Math.min(record.suspectMs, record.ttlMs) : 0;
}
