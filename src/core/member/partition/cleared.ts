import type { Bucket } from '../../ports/index.js';
import { keys } from '../../protocol/keys.js';
import { type ClearedRecord, decodeCleared } from '../../protocol/records.js';

/** What an operator took down of a partition when it trimmed the stream; undefined: nothing, or it cannot be read now. */
export async function readCleared(
  bucket: Pick<Bucket, 'read'>,
  group: string,
  partition: number,
): Promise<ClearedRecord | undefined> {
  const found = await bucket.read(keys.cleared(group, partition));
  return found.kind === 'found' && found.entry.value !== null ? decodeCleared(found.entry.value) : undefined;
}

/**
 * Up to which sequence nothing of the partition waited then; 0: not known.
 *
 * @param created when the stream was created: what was taken down of another one of its name does not count.
 */
export function clearedUpTo(
  cleared: Pick<ClearedRecord, 'seq' | 'created'> | undefined,
  created: number | undefined,
): number {
  if (!cleared) return 0;
  const isOther = created !== undefined && cleared.created !== undefined && cleared.created !== created;
  return isOther ? 0 : cleared.seq;
}
