import { groupProvedBy, keys } from '../../protocol/keys.js';
import type { NatsHandles } from '../client/handles.js';
import { toNatspocError } from '../client/outcome.js';
import { bucketStream, bucketSubject } from './bucket.js';

/** Filters of the keys that prove a group's existence; see {@link groupProvedBy}. */
const FILTERS = ['position.*.*', 'group.*.session.*', 'group.*.lease.*'];

/**
 * The names of all groups in a bucket, sorted.
 *
 * @throws NatspocError `not-permitted`, `stream-missing`, `unreachable`, …
 */
export async function listGroups({ manager }: NatsHandles, bucket: string): Promise<string[]> {
  const groups = new Set<string>();
  const prefix = bucketSubject(bucket, '');
  try {
    for (const filter of FILTERS) {
      const info = await manager.streams.info(bucketStream(bucket), { subjects_filter: prefix + filter });
      for (const subject of Object.keys(info.state.subjects ?? {})) {
        const group = groupProvedBy(subject.slice(prefix.length));
        if (group !== undefined) groups.add(group);
      }
    }
  } catch (error) {
    throw toNatspocError(error, `list the groups in bucket ${bucket}`);
  }
  return [...groups].sort();
}

const ofGroup = (group: string): string[] => [
  `${keys.positionPrefix(group)}>`,
  `${keys.clearedPrefix(group)}>`,
  `${keys.groupPrefix(group)}>`,
  `${keys.proofPrefix(group)}>`,
];

/**
 * Deletes all current and past entries of a group up to a revision. Newer entries remain.
 *
 * @returns the number of deleted entries.
 * @throws NatspocError if the deletion is not permitted, or the server does not answer.
 */
export async function purgeGroup(
  { manager }: NatsHandles,
  bucket: string,
  group: string,
  revision: number,
): Promise<number> {
  let purged = 0;
  try {
    for (const filter of ofGroup(group)) {
      // A purge up to `seq` keeps the entry at `seq`, so `revision + 1` is requested.
      const options = { filter: bucketSubject(bucket, filter), seq: revision + 1 };
      purged += (await manager.streams.purge(bucketStream(bucket), options)).purged;
    }
  } catch (error) {
    throw toNatspocError(error, `delete group ${group}`);
  }
  return purged;
}

/** The revision of the newest entry of a bucket. */
export async function newestRevision({ manager }: NatsHandles, bucket: string): Promise<number> {
  try {
    return (await manager.streams.info(bucketStream(bucket))).state.last_seq;
  } catch (error) {
    throw toNatspocError(error, `read bucket ${bucket}`);
  }
}
