import { whyUnanswered } from '../lib/unanswered.js';
import type { Bucket } from '../ports/index.js';
import { keys } from '../protocol/keys.js';
import { RECORD_VERSION, unreadableAs } from '../protocol/record-format.js';
import { decodeLease, encodeRecord } from '../protocol/records.js';

const CHANGED = 'its lease has changed meanwhile; try again';

/**
 * Overwrites a lease that cannot be read, so that a member claims the partition. Call this only after the previous owner has stopped.
 *
 * @returns the reason if the lease was not written, otherwise undefined.
 */
export async function freeLease(
  bucket: Bucket,
  group: string,
  partition: number,
): Promise<string | undefined> {
  const found = await unreadableLease(bucket, group, partition);
  if (typeof found === 'string') return found;
  const at = new Date().toISOString();
  const record = { v: RECORD_VERSION, owner: null, name: '', reason: 'release' as const, from: null, at };
  return refusalOf(await bucket.write(keys.lease(group, partition), encodeRecord(record), found));
}

/**
 * Ends the reservation of a partition, so that a member claims the partition.
 *
 * @returns the reason if the reservation was not ended, otherwise undefined.
 */
export async function endReservation(
  bucket: Bucket,
  group: string,
  partition: number,
): Promise<string | undefined> {
  const key = keys.lease(group, partition);
  const found = await bucket.read(key);
  if (found.kind === 'failed') return found.error.message;
  if (found.kind === 'unknown') return whyUnanswered(found, 'its lease could not be read in time');
  const lease = found.kind === 'found' && found.entry.value ? decodeLease(found.entry.value) : undefined;
  if (found.kind === 'missing' || !lease?.reserved || lease.owner !== null) return CHANGED;
  const { reserved: _, ...free } = lease;
  const record = { ...free, at: new Date().toISOString() };
  return refusalOf(await bucket.write(key, encodeRecord(record), found.entry.revision));
}

/** The reason why a write failed; undefined if it succeeded. */
function refusalOf(written: Awaited<ReturnType<Bucket['write']>>): string | undefined {
  switch (written.kind) {
    case 'ok':
      return undefined;
    case 'conflict':
      return CHANGED;
    case 'unknown':
      return whyUnanswered(
        written,
        'the server did not confirm the change in time: check with "natspoc leases"',
      );
    case 'failed':
      return written.error.message;
  }
}

/** Why {@link freeLease} would not write the lease; undefined if it would. */
export async function refusalToFree(
  bucket: Bucket,
  group: string,
  partition: number,
): Promise<string | undefined> {
  const found = await unreadableLease(bucket, group, partition);
  return typeof found === 'string' ? found : undefined;
}

/** The revision of a lease that cannot be read, or the reason why it must not be overwritten. */
async function unreadableLease(bucket: Bucket, group: string, partition: number): Promise<number | string> {
  const found = await bucket.read(keys.lease(group, partition));
  if (found.kind === 'failed') return found.error.message;
  if (found.kind === 'unknown') return whyUnanswered(found, 'its lease could not be read in time');
  if (found.kind === 'missing' || !found.entry.value || decodeLease(found.entry.value)) return CHANGED;
  if (unreadableAs(found.entry.value) === 'newer')
    return 'its lease was written by a newer version of natspoc, so it was not changed';
  return found.entry.revision;
}
