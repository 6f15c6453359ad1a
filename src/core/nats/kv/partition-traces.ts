import type { Bucket } from '../../ports/index.js';
import type { PartitionTrace, PartitionTraces } from '../../ports/partition-traces.js';
import { keys, partitionIn } from '../../protocol/keys.js';
import { decodeGroupLayout } from '../../protocol/layout-records.js';
import type { NatsHandles } from '../client/handles.js';
import { purgeBefore, readHeads } from './key-heads.js';

const KINDS = ['lease', 'position', 'override', 'cleared'] as const;

/** Reads and purges the entries that a group's partitions have left in the bucket, on a real server. */
export function natsPartitionTraces(
  handles: NatsHandles,
  entries: Pick<Bucket, 'read'>,
  { bucket, group, timeoutMs }: { bucket: string; group: string; timeoutMs: number },
): PartitionTraces {
  const prefixOf = (kind: PartitionTrace['kind']): string => keys[kind](group, 0).slice(0, -1);
  const read = async (kind: PartitionTrace['kind']): Promise<{ traces: PartitionTrace[]; nowMs: number }> => {
    const place = { bucket, prefix: prefixOf(kind), timeoutMs };
    const { heads, nowMs } = await readHeads(handles, place, kind === 'lease');
    const traces = heads.flatMap(({ token, ...head }): PartitionTrace[] => {
      const partition = partitionIn(token);
      return partition === undefined ? [] : [{ kind, partition, ...head }];
    });
    return { traces, nowMs };
  };
  return {
    async read() {
      const found = await entries.read(keys.groupLayout(group));
      if (found.kind === 'failed') throw found.error;
      const layout =
        found.kind === 'found' && found.entry.value ? decodeGroupLayout(found.entry.value) : undefined;
      if (layout?.epoch === undefined) return undefined;
      const all = await Promise.all(KINDS.map(read));
      const nowMs = Math.min(...all.map((each) => each.nowMs));
      return { traces: all.flatMap(({ traces }) => traces), partitions: layout.partitions, nowMs };
    },
    purge: ({ kind, partition, revision }) =>
      purgeBefore(
        handles,
        bucket,
        keys[kind](group, partition),
        // The newest entry of a lease stays. A later layout claims the lease at its revision.
        kind === 'lease' ? revision : revision + 1,
      ),
  };
}
