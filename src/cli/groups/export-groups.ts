import { findGroupLayout } from '../../core/admin/group-layout.js';
import { StreamAdmin } from '../../core/admin/stream-admin.js';
import type { Config } from '../../core/config/config.js';
import { NatspocError } from '../../core/lib/errors.js';
import type { NatsConnection } from '../../core/nats/client/connection.js';
import { findGroups } from '../../core/nats/stream/existing-bucket.js';
import { keys } from '../../core/protocol/keys.js';
import { decodeStart } from '../../core/protocol/position-records.js';
import { isoTime } from '../../text/json.js';
import { configOf } from './config-of.js';
import type { FileGroup, GroupFile } from './group-file.js';
import { missingGroup } from './missing-group.js';

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
    groups.push(await readFileGroup(stream, group));
    createdAtMs ??= (await stream.group().observer.stream()).createdAtMs;
  }
  return { stream: config.stream, createdAt: isoTime(createdAtMs), groups };
}

async function readFileGroup(stream: StreamAdmin, group: string): Promise<FileGroup> {
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
      `Group ${group}: the position of p${wrong.partition} cannot be read; "natspoc leases check --group ${group}" gives the reason.`,
    );
  const epoch = layout?.epoch ?? 0;
  const positions = stored
    .filter(({ layout: of = 0 }) => of === epoch)
    .sort((a, b) => a.partition - b.partition)
    .map(({ partition, sequence, created, stored: at, trimmed, sought }) => ({
      ...{ partition, sequence, created, stored: at, trimmed, sought },
    }));
  const partitions = layout?.partitions ?? stream.layout.partitions;
  return { group, partitions, layout, start: start ?? null, positions };
}
