import { mapConcurrently } from '../lib/concurrently.js';
import { NatspocError } from '../lib/errors.js';
import { type Unanswered, unanswered } from '../lib/unanswered.js';
import type { Bucket } from '../ports/index.js';
import { keys } from '../protocol/keys.js';
import { RECORD_VERSION, unreadableAs } from '../protocol/record-format.js';
import { decodeOverride, encodeRecord, type OverrideRecord } from '../protocol/records.js';

/** Number of attempts to change an entry. Another operator may change it at the same time. */
const ATTEMPTS = 5;

/** Number of overrides that are written at the same time. */
const CONCURRENT_WRITES = 16;

/** An operator's override of a partition. */
export type Wish = Pick<OverrideRecord, 'pin' | 'paused'>;

const NOTHING: Wish = { pin: null, paused: false };

/**
 * Changes part of a partition's override and keeps the rest.
 *
 * @param by the operator's name, for display.
 * @param onUnknown called if the outcome of a write is unknown. After an error, the change may then be stored.
 * @returns the previous override.
 * @throws NatspocError if the bucket cannot be written, or the entry cannot be read.
 */
export async function changeOverride(
  bucket: Bucket,
  group: string,
  partition: number,
  change: Partial<Wish>,
  by: string,
  onUnknown: () => void = () => {},
): Promise<Wish> {
  const key = keys.override(group, partition);
  const at = new Date().toISOString();
  let before = NOTHING;
  let removing = false;
  let last: Unanswered = {};
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const found = await readOverride(bucket, key);
    // If the confirmation of the previous attempt was lost, this entry may be our own change.
    const isOurs = found.record ? found.record.at === at && found.record.by === by : removing;
    if (attempt > 1 && isOurs) return before;
    before = found.record ?? NOTHING;
    const wish: Wish = { pin: before.pin, paused: before.paused, ...change };
    const isSame = wish.pin === before.pin && wish.paused === before.paused;
    if (isSame && !found.isBroken) return before;
    const began = before.paused ? (found.record?.pause ?? found.record) : { by, at };
    const pause = wish.paused && began ? { pause: { by: began.by, at: began.at } } : {};
    const record = { v: RECORD_VERSION, ...wish, by, at, ...pause };
    removing = wish.pin === null && !wish.paused;
    const outcome = removing
      ? await bucket.remove(key, found.revision)
      : await bucket.write(key, encodeRecord(record), found.revision);
    if (outcome.kind === 'ok') return before;
    if (outcome.kind === 'failed') throw outcome.error;
    if (outcome.kind === 'unknown') onUnknown();
    last = outcome.kind === 'unknown' ? outcome : {};
  }
  throw unanswered(`write ${key}`, last);
}

/** Like {@link changeOverride}, for several partitions. Returns the previous overrides. */
export async function changeOverrides(
  bucket: Bucket,
  group: string,
  partitions: readonly number[],
  change: Partial<Wish>,
  by: string,
): Promise<Map<number, Wish>> {
  const before = await mapConcurrently(
    partitions,
    CONCURRENT_WRITES,
    async (partition): Promise<[number, Wish]> => [
      partition,
      await changeOverride(bucket, group, partition, change, by),
    ],
  );
  return new Map(before);
}

/**
 * The override of a partition; null if there is none. `isBroken`: the entry cannot be read, and a new override replaces it.
 *
 * @throws NatspocError if the bucket cannot be read, or a newer version wrote the entry.
 */
export async function readOverride(
  bucket: Bucket,
  key: string,
): Promise<{ record: OverrideRecord | null; revision: number; isBroken?: true }> {
  const found = await bucket.read(key);
  if (found.kind === 'failed') throw found.error;
  if (found.kind === 'unknown') throw unanswered(`read ${key}`, found);
  if (found.kind === 'missing') return { record: null, revision: 0 };
  const { value, revision } = found.entry;
  if (value === null) return { record: null, revision };
  const record = decodeOverride(value);
  if (record) return { record, revision };
  if (unreadableAs(value) === 'broken') return { record: null, revision, isBroken: true };
  const message = `The entry ${key} was written by a newer version of natspoc. Use that version; nothing was changed.`;
  throw new NatspocError('failed', message);
}
