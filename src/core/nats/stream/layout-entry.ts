import { NatspocError } from '../../lib/errors.js';
import type { Bucket, LayoutKeeper } from '../../ports/index.js';
import type { GroupLayoutRecord, LayoutRecord } from '../../protocol/layout-records.js';
import { encodeRecord } from '../../protocol/records.js';

/** A layout in a bucket. */
export interface StoredLayout<T = LayoutRecord> {
  /** undefined: none. */
  layout: T | undefined;
  /** Revision of its entry; 0: there never was one. */
  revision: number;
}

/**
 * Where a layout is stored, and how it is read; `decode` throws a NatspocError for a value that is not a
 * layout.
 */
export interface LayoutEntry<T> {
  bucket: Bucket;
  key: string;
  decode: (bytes: Uint8Array) => T;
}

const unanswered = (doing: string): NatspocError =>
  new NatspocError('unreachable', `Could not ${doing} the layout: the server did not answer in time.`);

/** @throws NatspocError `layout-mismatch` if it cannot be read, `unreachable` if the server does not answer. */
export async function readEntry<T>({ bucket, key, decode }: LayoutEntry<T>): Promise<StoredLayout<T>> {
  const found = await bucket.read(key);
  if (found.kind === 'missing') return { layout: undefined, revision: 0 };
  if (found.kind === 'failed') throw found.error;
  if (found.kind === 'unknown') throw unanswered('read');
  const { value, revision } = found.entry;
  return { layout: value === null ? undefined : decode(value), revision };
}

/**
 * Writes a layout over the entry of this revision.
 *
 * @returns the stored layout, which another client may have written first.
 * @throws NatspocError of the write or the read.
 */
export async function writeEntry<T extends LayoutRecord | GroupLayoutRecord>(
  entry: LayoutEntry<T>,
  layout: T,
  revision: number,
): Promise<T> {
  const written = await entry.bucket.write(entry.key, encodeRecord(layout), revision);
  if (written.kind === 'ok') return layout;
  if (written.kind === 'failed') throw written.error;
  const found = await readEntry(entry);
  if (found.layout) return found.layout;
  throw unanswered('write');
}

/**
 * Keeps a layout in its bucket, even if the bucket is purged or created again.
 *
 * @param refusal the error if another layout is found; undefined: it is the same.
 */
export const entryKeeper = <T extends LayoutRecord | GroupLayoutRecord>(
  entry: LayoutEntry<T>,
  layout: T,
  refusal: (found: T) => NatspocError | undefined,
): LayoutKeeper => ({
  async keep() {
    try {
      const stored = await readEntry(entry);
      const error = refusal(stored.layout ?? (await writeEntry(entry, layout, stored.revision)));
      return error ? { kind: 'failed', error } : { kind: 'ok' };
    } catch (error) {
      if (!(error instanceof NatspocError) || error.code === 'unreachable') return { kind: 'unknown' };
      return { kind: 'failed', error };
    }
  },
});
