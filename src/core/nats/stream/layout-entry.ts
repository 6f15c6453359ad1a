import { NatspocError } from '../../lib/errors.js';
import { type Unanswered, unanswered } from '../../lib/unanswered.js';
import type { Bucket, LayoutKeeper } from '../../ports/index.js';
import type { BucketEntry } from '../../protocol/entries.js';
import type { GroupLayoutRecord, LayoutRecord } from '../../protocol/layout-records.js';
import { encodeRecord } from '../../protocol/records.js';
import { readAgain } from '../kv/read-again.js';

/** A layout in a bucket. */
export interface StoredLayout<T = LayoutRecord> {
  layout: T | undefined;
  /** Revision of the layout's entry; 0 if there never was an entry. */
  revision: number;
}

/** Where a layout is stored, and how it is read. `decode` throws a NatspocError for any other value. */
export interface LayoutEntry<T> {
  bucket: Bucket;
  key: string;
  decode: (bytes: Uint8Array) => T;
}

/** The stored layout. If the layout could not be written, it is undefined, and the other fields give the reason. */
type Written<T> = { layout: T | undefined } & Unanswered;

/**
 * Reads a layout. Without an answer, for example during the election of a leader, the read is repeated for at most
 * `patienceMs`.
 *
 * @throws NatspocError `layout-mismatch` if the layout cannot be read, `unreachable` if the server does not answer.
 */
export async function readEntry<T>(entry: LayoutEntry<T>, patienceMs: number): Promise<StoredLayout<T>> {
  return layoutIn(entry, await readAgain(entry.bucket, entry.key, 'the layout', patienceMs));
}

function layoutIn<T>({ decode }: LayoutEntry<T>, found: BucketEntry | undefined): StoredLayout<T> {
  if (!found) return { layout: undefined, revision: 0 };
  const { value, revision } = found;
  return { layout: value === null ? undefined : decode(value), revision };
}

async function readOnce<T>(
  entry: LayoutEntry<T>,
): Promise<({ kind: 'read' } & StoredLayout<T>) | ({ kind: 'unknown' } & Unanswered)> {
  const found = await entry.bucket.read(entry.key);
  if (found.kind === 'failed') throw found.error;
  if (found.kind === 'unknown') return found;
  return { kind: 'read', ...layoutIn(entry, found.kind === 'found' ? found.entry : undefined) };
}

/**
 * Replaces the entry with a layout, if the entry still has this revision.
 *
 * @returns the stored layout. Another client may have written it.
 * @throws NatspocError if the read fails, or the server refuses the write for good.
 */
export async function tryEntry<T extends LayoutRecord | GroupLayoutRecord>(
  entry: LayoutEntry<T>,
  layout: T,
  revision: number,
): Promise<Written<T>> {
  const written = await entry.bucket.write(entry.key, encodeRecord(layout), revision);
  if (written.kind === 'ok') return { layout };
  if (written.kind === 'failed') throw written.error;
  const found = await readOnce(entry);
  if (found.kind === 'read' && found.layout) return { layout: found.layout };
  const why = written.kind === 'unknown' ? written : found.kind === 'unknown' ? found : {};
  return { ...why, layout: undefined };
}

/**
 * Like {@link tryEntry}, but throws if the layout could not be stored.
 *
 * @throws NatspocError `storage-failed`, for example if the bucket is full; `unreachable` if the server does not answer.
 */
export async function writeEntry<T extends LayoutRecord | GroupLayoutRecord>(
  ...args: Parameters<typeof tryEntry<T>>
): Promise<T> {
  const written = await tryEntry(...args);
  if (written.layout) return written.layout;
  throw unanswered('write the layout', written);
}

/**
 * Keeps a layout in its bucket, even if the bucket is purged or created again.
 *
 * @param refusal returns the error if the bucket has another layout; undefined if it has the same layout.
 */
export const entryKeeper = <T extends LayoutRecord | GroupLayoutRecord>(
  entry: LayoutEntry<T>,
  layout: T,
  refusal: (found: T) => NatspocError | undefined,
): LayoutKeeper => ({
  async keep() {
    try {
      const stored = await readOnce(entry);
      if (stored.kind === 'unknown') return stored;
      const found = stored.layout ?? (await tryEntry(entry, layout, stored.revision)).layout;
      if (!found) return { kind: 'unknown' };
      const error = refusal(found);
      return error ? { kind: 'failed', error } : { kind: 'ok' };
    } catch (error) {
      if (!(error instanceof NatspocError) || error.code === 'unreachable') return { kind: 'unknown' };
      return { kind: 'failed', error };
    }
  },
});
