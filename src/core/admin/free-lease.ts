import type { Bucket } from '../ports/index.js';
import { keys } from '../protocol/keys.js';
import { decodeLease, encodeRecord, RECORD_VERSION, unreadableAs } from '../protocol/records.js';

/**
 * Overwrites a lease that cannot be read, so that the partition has no owner and the next member that plans claims it. A
 * previous owner sees a lease that is not its own and stops; the next owner takes the position over, which fences its commits.
 *
 * @returns the reason if it was not written, otherwise undefined.
 */
export async function freeLease(
  bucket: Bucket,
  group: string,
  partition: number,
): Promise<string | undefined> {
  const key = keys.lease(group, partition);
  const found = await bucket.read(key);
  if (found.kind === 'failed') return found.error.message;
  if (found.kind === 'unknown') return 'its lease could not be read in time';
  if (found.kind === 'missing' || !found.entry.value || decodeLease(found.entry.value))
    return 'its lease has changed meanwhile; try again';
  if (unreadableAs(found.entry.value) === 'newer')
    return 'its lease was written by a newer version of natspoc: left alone';
  const at = new Date().toISOString();
  const record = { v: RECORD_VERSION, owner: null, name: '', reason: 'release' as const, from: null, at };
  const written = await bucket.write(key, encodeRecord(record), found.entry.revision);
  switch (written.kind) {
    case 'ok':
      return undefined;
    case 'conflict':
      return 'its lease has changed meanwhile; try again';
    case 'unknown':
      return written.refusal ?? 'the server did not confirm it in time: check with "natspoc leases"';
    case 'failed':
      return written.error.message;
  }
}
