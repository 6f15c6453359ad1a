import { type Unanswered, unanswered } from '../lib/unanswered.js';
import type { Bucket } from '../ports/index.js';
import { keys } from '../protocol/keys.js';
import {
  type ClearedRecord,
  decodeCleared,
  decodeStart,
  type StartRecord,
} from '../protocol/position-records.js';
import { RECORD_VERSION } from '../protocol/record-format.js';
import { encodeRecord } from '../protocol/records.js';
import type { Clearing } from './clearing.js';

/** Number of attempts to write the entry. Another operator may change it at the same time. */
const ATTEMPTS = 5;

/**
 * Reads the record of an operator's last deletion.
 *
 * @returns undefined if there is no record, or if it cannot be decoded.
 * @throws NatspocError if the server does not answer, or refuses the read.
 */
export async function findCleared(
  bucket: Pick<Bucket, 'read'>,
  group: string,
  partition: number,
): Promise<ClearedRecord | undefined> {
  const value = await read(bucket, keys.cleared(group, partition));
  return value && decodeCleared(value);
}

/**
 * Reads where a group starts in partitions without a position.
 *
 * @returns undefined if the start is not decided yet, or cannot be decoded.
 * @throws NatspocError if the server does not answer, or refuses the read.
 */
export async function findStart(
  bucket: Pick<Bucket, 'read'>,
  group: string,
): Promise<StartRecord | undefined> {
  const value = await read(bucket, keys.start(group));
  return value && decodeStart(value);
}

async function read(bucket: Pick<Bucket, 'read'>, key: string): Promise<Uint8Array | undefined> {
  const found = await bucket.read(key);
  if (found.kind === 'failed') throw found.error;
  if (found.kind === 'unknown') throw unanswered(`read ${key}`, found);
  return found.kind === 'found' ? (found.entry.value ?? undefined) : undefined;
}

/**
 * Records that no message of a group waits in a partition up to the sequence `seq`.
 *
 * @param created when the stream was created; undefined if unknown.
 * @throws NatspocError if the record cannot be written.
 */
export async function writeCleared(
  bucket: Bucket,
  { group, partition, seq, purged }: Clearing,
  created: number | undefined,
): Promise<void> {
  const key = keys.cleared(group, partition);
  let last: Unanswered = {};
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const found = await bucket.read(key);
    if (found.kind === 'failed') throw found.error;
    if (found.kind === 'unknown') {
      last = found;
      continue;
    }
    const entry = found.kind === 'found' ? found.entry : undefined;
    const decoded = entry?.value ? decodeCleared(entry.value) : undefined;
    const before = decoded?.created === created ? decoded : undefined;
    if (before && before.seq >= seq && (before.purged ?? 0) >= (purged ?? 0)) return;
    const record = encodeRecord({
      v: RECORD_VERSION,
      seq: Math.max(seq, before?.seq ?? 0),
      ...(purged !== undefined && { purged }),
      ...(created !== undefined && { created }),
    });
    const written = await bucket.write(key, record, entry?.revision ?? 0);
    if (written.kind === 'failed') throw written.error;
    if (written.kind === 'ok') return;
    last = written.kind === 'unknown' ? written : {};
  }
  throw unanswered(`write ${key}`, last);
}
