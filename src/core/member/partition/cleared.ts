import type { Bucket } from '../../ports/index.js';
import { decodeCleared, keys } from '../../protocol/records.js';

/**
 * Up to which sequence no message of a partition waited for the group when handled ones were deleted; 0: that is not
 * known of this stream.
 *
 * @param created when the stream was created: what was said of another one of its name does not count.
 */
export async function clearedTo(
  bucket: Pick<Bucket, 'read'>,
  group: string,
  partition: number,
  created: number | undefined,
): Promise<number> {
  const found = await bucket.read(keys.cleared(group, partition));
  if (found.kind !== 'found' || found.entry.value === null) return 0;
  const record = decodeCleared(found.entry.value);
  if (!record) return 0;
  const isOther = record.created !== undefined && created !== undefined && record.created !== created;
  return isOther ? 0 : record.seq;
}
