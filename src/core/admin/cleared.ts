import { unwritten } from '../lib/unwritten.js';
import type { Bucket } from '../ports/index.js';
import { keys } from '../protocol/keys.js';
import { decodeCleared } from '../protocol/position-records.js';
import { RECORD_VERSION } from '../protocol/record-format.js';
import { encodeRecord } from '../protocol/records.js';

/** Number of attempts to write the entry. An attempt fails if another operator trims at the same time. */
const ATTEMPTS = 5;

/**
 * Records that a group has no waiting messages in a partition up to the sequence `seq`.
 *
 * @param created when the stream was created; undefined if unknown.
 * @throws NatspocError if the record cannot be written.
 */
export async function writeCleared(
  bucket: Bucket,
  group: string,
  partition: number,
  seq: number,
  created: number | undefined,
): Promise<void> {
  const key = keys.cleared(group, partition);
  let refusal: string | undefined;
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const found = await bucket.read(key);
    if (found.kind === 'failed') throw found.error;
    if (found.kind === 'unknown') continue;
    const entry = found.kind === 'found' ? found.entry : undefined;
    const before = entry?.value ? decodeCleared(entry.value) : undefined;
    if (before && before.created === created && before.seq >= seq) return;
    const record = encodeRecord({ v: RECORD_VERSION, seq, ...(created !== undefined && { created }) });
    const written = await bucket.write(key, record, entry?.revision ?? 0);
    if (written.kind === 'failed') throw written.error;
    if (written.kind === 'ok') return;
    refusal = written.kind === 'unknown' ? written.refusal : undefined;
  }
  throw unwritten(key, refusal);
}
