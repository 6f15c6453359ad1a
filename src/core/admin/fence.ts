import type { Clock } from '../lib/clock.js';
import { withoutStop } from '../lib/text.js';
import { type Unanswered, whyUnanswered } from '../lib/unanswered.js';
import type { Bucket, ReadOutcome } from '../ports/index.js';
import { keys } from '../protocol/keys.js';
import { decodeSession } from '../protocol/records.js';

/** The outcome of fencing. `alive`: the member renews faster than its proof of life can be deleted. */
export type FenceOutcome = { kind: 'fenced' } | { kind: 'alive' } | { kind: 'failed'; message: string };

/** Maximum number of attempts of a read or a deletion. A renewal of the member can make a deletion fail. */
const ATTEMPTS = 5;

/**
 * Fences a member, healthy or not. First deletes its proof of life by compare-and-set, so that no later renewal succeeds. Then waits until
 * its handlers must have stopped, and deletes its session. All members see this deletion. If this process ends in between, the members
 * complete the fence.
 */
export async function fenceMember(
  { bucket, clock }: { bucket: Bucket; clock: Clock },
  group: string,
  session: string,
): Promise<FenceOutcome> {
  const ended = await remove(bucket, keys.proof(group, session), true);
  if (ended.kind !== 'fenced') return ended;
  const waitMs = await graceOf(bucket, keys.session(group, session));
  if (typeof waitMs !== 'number') return waitMs;
  await new Promise<void>((resolve) => void clock.at(clock.now() + waitMs, resolve));
  return remove(bucket, keys.session(group, session), false);
}

/**
 * Deletes a key at its current revision. `always`: writes a deletion marker even if the key does not exist, so that the key cannot be
 * created later.
 */
async function remove(bucket: Bucket, key: string, always: boolean): Promise<FenceOutcome> {
  let conflicts = false;
  let last: Unanswered = {};
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const found = await readAnswered(bucket, key);
    if (found.kind === 'failed') return found;
    if (found.kind === 'missing' ? !always : found.entry.value === null) return { kind: 'fenced' };
    const revision = found.kind === 'missing' ? 0 : found.entry.revision;
    const removed = await bucket.remove(key, revision);
    if (removed.kind === 'ok') return { kind: 'fenced' };
    if (removed.kind === 'failed') return { kind: 'failed', message: withoutStop(removed.error.message) };
    if (removed.kind === 'conflict') conflicts = true;
    if (removed.kind === 'unknown') last = removed;
  }
  return conflicts ? { kind: 'alive' } : { kind: 'failed', message: whyUnanswered(last) };
}

/**
 * How long a member can still act after its last renewal, in milliseconds; 0 if it has no session. Without an answer the session stays, and
 * the members end it later.
 */
async function graceOf(bucket: Bucket, key: string): Promise<number | FenceOutcome> {
  const found = await readAnswered(bucket, key);
  if (found.kind === 'failed') return found;
  const record = found.kind === 'found' && found.entry.value ? decodeSession(found.entry.value) : undefined;
  return record ? Math.min(record.suspectMs, record.ttlMs) : 0;
}

/** Reads a key, again if there is no answer. */
async function readAnswered(
  bucket: Bucket,
  key: string,
): Promise<Extract<ReadOutcome, { kind: 'found' | 'missing' }> | (FenceOutcome & { kind: 'failed' })> {
  let last: Unanswered = {};
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const found = await bucket.read(key);
    if (found.kind === 'failed') return { kind: 'failed', message: withoutStop(found.error.message) };
    if (found.kind !== 'unknown') return found;
    last = found;
  }
  return { kind: 'failed', message: whyUnanswered(last) };
}
