import { findCleared } from '../../core/admin/cleared.js';
import { isAboutTheGroup } from '../../core/admin/group-fault.js';
import { findGroupLayout } from '../../core/admin/group-layout.js';
import { StreamAdmin } from '../../core/admin/stream-admin.js';
import type { Config } from '../../core/config/config.js';
import { configOf } from '../../core/config/config-of.js';
import { mapConcurrently } from '../../core/lib/concurrently.js';
import { NatspocError } from '../../core/lib/errors.js';
import { shellWord } from '../../core/lib/text.js';
import { clearedUpTo } from '../../core/member/partition/cleared.js';
import type { NatsConnection } from '../../core/nats/client/connection.js';
import { findGroups } from '../../core/nats/stream/existing-bucket.js';
import { keys } from '../../core/protocol/keys.js';
import { decodeStart } from '../../core/protocol/position-records.js';
import { isoTime } from '../../text/json.js';
import type { FileCleared, FileGroup, GroupFile } from './group-file.js';
import { missingGroup } from './missing-group.js';

const CONCURRENT_READS = 16;

/** The outcome of an export. */
export interface Exported {
  file: GroupFile;
  /** The groups of the file that are being resized. The file holds their old partitions. */
  resizing: string[];
  /** Why groups are missing from the file. Each message names its group. */
  failures: NatspocError[];
}

/**
 * Reads the positions of groups. Members can run meanwhile. Messages that they commit during the export may be handled again after an
 * import.
 *
 * @param name of the group; undefined: all groups of the stream.
 * @throws NatspocError `group-missing`, or an error that concerns all groups.
 */
export async function exportGroups(
  connection: NatsConnection,
  config: Config,
  name: string | undefined,
): Promise<Exported> {
  const known = await findGroups(connection, config);
  if (name !== undefined && !known.includes(name)) throw missingGroup(config, name, known);
  const groups: FileGroup[] = [];
  const [resizing, failures]: [string[], NatspocError[]] = [[], []];
  let createdAtMs: number | undefined;
  for (const group of name === undefined ? known : [name]) {
    try {
      const stream = await StreamAdmin.open(connection, configOf(config, group));
      const facts = await stream.group().observer.stream();
      createdAtMs ??= facts.createdAtMs;
      const { isResizing, ...found } = await readFileGroup(stream, group, facts.createdAtMs);
      groups.push(found);
      if (isResizing) resizing.push(group);
    } catch (error) {
      if (!(error instanceof NatspocError) || !isAboutTheGroup(error)) throw error;
      failures.push(naming(group, error));
    }
  }
  return { file: { stream: config.stream, createdAt: isoTime(createdAtMs), groups }, resizing, failures };
}

const naming = (group: string, error: NatspocError): NatspocError =>
  error.message.startsWith(`Group ${group}`)
    ? error
    : new NatspocError(error.code, `Group ${group} is not exported. ${error.message}`, { cause: error });

/** Until a resize is done, the positions of the old partitions are valid. */
async function readFileGroup(
  stream: StreamAdmin,
  group: string,
  created: number | undefined,
): Promise<FileGroup & { isResizing: boolean }> {
  const layoutNow = async () => (await findGroupLayout(stream.bucket, group))?.layout ?? null;
  const layout = await layoutNow();
  const found = await stream.bucket.read(keys.start(group));
  if (found.kind === 'failed') throw found.error;
  const start = found.kind === 'found' && found.entry.value ? decodeStart(found.entry.value) : undefined;
  const stored = await stream.group(group).observer.positions();
  const partitions = layout?.partitions ?? stream.layout.partitions;
  const cleared = await readFileCleared(stream, group, partitions, created);
  const epoch = layout?.epoch ?? 0;
  // A resize that was done meanwhile has replaced the positions.
  if (((await layoutNow())?.epoch ?? 0) !== epoch) return readFileGroup(stream, group, created);
  const wrong = stored.find(({ unreadable }) => unreadable !== undefined);
  if (wrong)
    throw new NatspocError(
      'failed',
      `Group ${group}: the position of p${wrong.partition} cannot be read; "natspoc leases check --group ${shellWord(group)}" gives the reason.`,
    );
  const positions = stored
    .filter(({ layout: of = 0 }) => of === epoch)
    .sort((a, b) => a.partition - b.partition)
    .map(({ partition, sequence, created, stored: at, trimmed, sought }) => ({
      ...{ partition, sequence, created, stored: at, trimmed, sought },
    }));
  const isResizing = layout?.next !== undefined;
  const old = layout && { ...layout, next: undefined };
  return { group, partitions, layout: old, start: start ?? null, positions, cleared, isResizing };
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
