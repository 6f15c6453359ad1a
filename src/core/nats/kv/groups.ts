import { isId } from '../../protocol/record-format.js';
import type { NatsHandles } from '../client/handles.js';
import { bucketStream, bucketSubject } from './bucket.js';

/** The keys that prove a group's existence: positions outlive members, members come before positions. */
const FILTERS = ['position.*.*', 'group.*.session.*', 'group.*.lease.*'];

/**
 * The names of all groups in a bucket, sorted.
 *
 * @throws what the client throws: no permission, no bucket, no answer.
 */
export async function listGroups({ manager }: NatsHandles, bucket: string): Promise<string[]> {
  const groups = new Set<string>();
  const prefix = bucketSubject(bucket, '');
  for (const filter of FILTERS) {
    const info = await manager.streams.info(bucketStream(bucket), { subjects_filter: prefix + filter });
    for (const subject of Object.keys(info.state.subjects ?? {})) {
      const group = subject.slice(prefix.length).split('.')[1];
      if (isId(group)) groups.add(group);
    }
  }
  return [...groups].sort();
}
