import type { ViewEntry } from './events.js';
import { parseGroupKey } from './keys.js';
import { decodeGroupLayout } from './layout-records.js';
import { decodeLease, decodeOverride, decodeSession } from './records.js';

/** One entry of the bucket; `value` is null if the key was deleted. */
export interface BucketEntry {
  key: string;
  revision: number;
  value: Uint8Array | null;
}

/**
 * Decodes an entry; undefined for a key that the protocol does not use. If another version or client wrote the value,
 * the record may be `unreadable`.
 */
export function decodeEntry(group: string, entry: BucketEntry): ViewEntry | undefined {
  const key = parseGroupKey(group, entry.key);
  const { revision, value } = entry;
  switch (key.kind) {
    case 'session':
      return { ...key, revision, record: value === null ? null : (decodeSession(value) ?? 'unreadable') };
    case 'lease':
      return { ...key, revision, record: value === null ? null : (decodeLease(value) ?? 'unreadable') };
    case 'override':
      return { ...key, revision, record: value === null ? null : (decodeOverride(value) ?? 'unreadable') };
    case 'layout':
      return { ...key, revision, record: value === null ? null : (decodeGroupLayout(value) ?? 'unreadable') };
    default:
      return undefined;
  }
}

/** Decodes entries; `foreign` receives the keys that the protocol does not use. */
export function decodeEntries(
  group: string,
  entries: readonly BucketEntry[],
  foreign: (key: string) => void,
): ViewEntry[] {
  const decoded: ViewEntry[] = [];
  for (const entry of entries) {
    const view = decodeEntry(group, entry);
    if (view) decoded.push(view);
    else foreign(entry.key);
  }
  return decoded;
}
