import { writeCleared } from '../../core/admin/cleared.js';
import { mapConcurrently } from '../../core/lib/concurrently.js';
import { NatspocError } from '../../core/lib/errors.js';
import { unanswered, whyUnanswered } from '../../core/lib/unanswered.js';
import type { BucketEntry } from '../../core/protocol/entries.js';
import { keys } from '../../core/protocol/keys.js';
import { decodePosition, positionTags } from '../../core/protocol/position-records.js';
import { encodeRecord } from '../../core/protocol/records.js';
import type { FileGroup } from './group-file.js';
import type { GroupStore } from './group-store.js';

const CONCURRENT_WRITES = 16;

/**
 * Writes a group of a file into the bucket: its layout, its start, its positions, and what operators have deleted. A position that the file
 * lacks is deleted, and its partition starts where the group starts.
 *
 * After an error the import can be repeated.
 *
 * @throws NatspocError `members-alive` if another client writes to the group meanwhile, or the refusal of the server.
 */
export async function writeGroup(store: GroupStore, file: FileGroup): Promise<void> {
  const { group, layout, start, partitions } = file;
  const { created } = store;
  if (layout) await put(store, keys.groupLayout(group), encodeRecord(layout));
  if (start) {
    const stored = start.seq > 0 ? await store.storedTime(start.seq) : undefined;
    await put(store, keys.start(group), encodeRecord({ ...start, created, stored }));
  }
  const known = new Map(file.positions.map((each) => [each.partition, each]));
  const all = Array.from({ length: partitions }, (_, partition) => partition);
  await mapConcurrently(all, CONCURRENT_WRITES, async (partition) => {
    const key = keys.position(group, partition);
    const position = known.get(partition);
    const before = await read(store, key);
    if (!position) {
      if (before?.value) await put(store, key, null);
      return;
    }
    const { sequence: seq, trimmed, sought } = position;
    const lease = await read(store, keys.lease(group, partition));
    // The new epoch is at least that of the lease and of the stored position. So the commits of an older owner are refused.
    const epochBefore = before?.value ? (decodePosition(before.value)?.epoch ?? 0) : 0;
    const epoch = Math.max(lease?.revision ?? 0, epochBefore);
    const stored = seq > 0 ? await store.storedTime(seq) : undefined;
    const tags = positionTags(layout?.epoch ?? 0, sought === true);
    const at = new Date().toISOString();
    await put(store, key, encodeRecord({ ...tags, seq, epoch, at, trimmed, created, stored }));
  });
  // A stream that was restored from an older copy can be shorter than it was during the export.
  const inStream = (sequence: number): number => Math.min(sequence, store.lastSequence);
  await mapConcurrently(file.cleared, CONCURRENT_WRITES, async ({ partition, sequence, purged }) => {
    const until = inStream(purged ?? 0);
    const clearing = { group, partition, seq: inStream(sequence), purged: until > 0 ? until : undefined };
    await writeCleared(store.bucket, clearing, created);
  });
}

async function read({ bucket }: GroupStore, key: string): Promise<BucketEntry | undefined> {
  const found = await bucket.read(key);
  if (found.kind === 'failed') throw found.error;
  if (found.kind === 'unknown') throw unanswered(`read ${key}`, found);
  return found.kind === 'found' ? found.entry : undefined;
}

/** Overwrites an entry; null deletes it. */
async function put(store: GroupStore, key: string, value: Uint8Array | null): Promise<void> {
  const { bucket } = store;
  const revision = (await read(store, key))?.revision ?? 0;
  const written = await (value ? bucket.write(key, value, revision) : bucket.remove(key, revision));
  if (written.kind === 'ok') return;
  if (written.kind === 'failed') throw written.error;
  const why =
    written.kind === 'conflict'
      ? new NatspocError('members-alive', `${key} was changed meanwhile: stop the members, and import again.`)
      : new NatspocError('unreachable', `Could not write ${key}: ${whyUnanswered(written)}. Import again.`);
  throw why;
}
