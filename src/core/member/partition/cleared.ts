import type { Bucket } from '../../ports/index.js';
import { keys } from '../../protocol/keys.js';
import { type ClearedRecord, decodeCleared } from '../../protocol/position-records.js';

/** The record of an operator's last trim of a partition; undefined if there is none, or if it cannot be read now. */
export async function readCleared(
  bucket: Pick<Bucket, 'read'>,
  group: string,
  partition: number,
): Promise<ClearedRecord | undefined> {
  const found = await bucket.read(keys.cleared(group, partition));
  return found.kind === 'found' && found.entry.value !== null ? decodeCleared(found.entry.value) : undefined;
}

/**
 * When an operator trimmed the stream, no message of the partition was waiting up to this sequence; 0 if unknown.
 *
 * @param created when the stream was created. A record of an earlier stream of the same name does not count.
 */
export function clearedUpTo(
  cleared: Pick<ClearedRecord, 'seq' | 'created'> | undefined,
  created: number | undefined,
): number {
  if (!cleared) return 0;
  const isOther = created !== undefined && cleared.created !== undefined && cleared.created !== created;
  return isOther ? 0 : cleared.seq;
}
