import { findCleared } from '../../core/admin/cleared.js';
import { findGroupLayout } from '../../core/admin/group-layout.js';
import { StreamAdmin } from '../../core/admin/stream-admin.js';
import type { Config } from '../../core/config/config.js';
import { mapConcurrently } from '../../core/lib/concurrently.js';
import { NatspocError } from '../../core/lib/errors.js';
import { shellWord } from '../../core/lib/text.js';
import { clearedUpTo } from '../../core/member/partition/cleared.js';
import type { NatsConnection } from '../../core/nats/client/connection.js';
import { findGroups } from '../../core/nats/stream/existing-bucket.js';
import { keys } from '../../core/protocol/keys.js';
import { decodeStart } from '../../core/protocol/position-records.js';
import { isoTime } from '../../text/json.js';
import { configOf } from './config-of.js';
import type { FileCleared, FileGroup, GroupFile } from './group-file.js';
import { missingGroup } from './missing-group.js';

const CONCURRENT_READS = 16;

/**
 * Reads the positions of groups. Members can run meanwhile. Messages that they commit during the export may be handled again after an
 * import.
 *
 * @param name of the group; undefined: all groups of the stream.
 * @throws NatspocError `group-missing`; `failed` for a position that cannot be read, and for a group that is being resized.
 */
export async function exportGroups(
  connection: NatsConnection,
  config: Config,
  name: string | undefined,
): Promise<GroupFile> {
  const known = await findGroups(connection, config);
  if (name !== undefined && !known.includes(name)) throw missingGroup(config, name, known);
  const groups: FileGroup[] = [];
  let createdAtMs: number | undefined;
  for (const group of name === undefined ? known : [name]) {
    const stream = await StreamAdmin.open(connection, configOf(config, group));
    const facts = await stream.group().observer.stream();
    createdAtMs ??= facts.createdAtMs;
    groups.push(await readFileGroup(stream, group, facts.createdAtMs));
  }
  return { stream: config.stream, createdAt: isoTime(createdAtMs), groups };
}

async function readFileGroup(
  stream: StreamAdmin,
  group: string,
  created: number | undefined,
): Promise<FileGroup> {
  const layout = (await findGroupLayout(stream.bucket, group))?.layout ?? null;
  if (layout?.next)
    throw new NatspocError('failed', `Group ${group} is being resized: export it after the resize.`);
  const found = await stream.bucket.read(keys.start(group));
  if (found.kind === 'failed') throw found.error;
  const start = found.kind === 'found' && found.entry.value ? decodeStart(found.entry.value) : undefined;
  const stored = await stream.group(group).observer.positions();
  const wrong = stored.find(({ unreadable }) => unreadable !== undefined);
  if (wrong)
    throw new NatspocError(
      'failed',
      `Group ${group}: the position of p${wrong.partition} cannot be read; "natspoc leases check --group ${shellWord(group)}" gives the reason.`,
    );
  const epoch = layout?.epoch ?? 0;
  const positions = stored
    .filter(({ layout: of = 0 }) => of === epoch)
    .sort((a, b) => a.partition - b.partition)
    .map(({ partition, sequence, created, stored: at, trimmed, sought }) => ({
      ...{ partition, sequence, created, stored: at, trimmed, sought },
    }));
  const partitions = layout?.partitions ?? stream.layout.partitions;
  const cleared = await readFileCleared(stream, group, partitions, created);
  return { group, partitions, layout, start: start ?? null, positions, cleared };
}

/** What operators have deleted from this stream. Without it, deleted messages would count as lost after an import. */
async function readFileCleared(
  { bucket }: StreamAdmin,
  group: string,
  partitions: number,
  created: number | undefined,
): Promise<FileCleared[]> {
  const all = Array.from({ length: partitions }, (_, partition) => partition);
  const found = await mapConcurrently(all, CONCURRENT_READS, async (partition): Promise<FileCleared[]> => {
    const record = await findCleared(bucket, group, partition);
    const sequence = clearedUpTo(record, created);
    return sequence > 0 ? [{ partition, sequence, purged: record?.purged }] : [];
  });
  return found.flat();
}
