import { findGroupLayout } from '../../core/admin/group-layout.js';
import { StreamAdmin } from '../../core/admin/stream-admin.js';
import type { Config } from '../../core/config/config.js';
import { configOf } from '../../core/config/config-of.js';
import { mapConcurrently } from '../../core/lib/concurrently.js';
import { NatspocError } from '../../core/lib/errors.js';
import { shellWord } from '../../core/lib/text.js';
import type { NatsConnection } from '../../core/nats/client/connection.js';
import { findGroups } from '../../core/nats/stream/existing-bucket.js';
import { keys } from '../../core/protocol/keys.js';
import type { GroupLayoutRecord } from '../../core/protocol/layout-records.js';
import { misfit } from '../../core/protocol/position-mark.js';
import { deadSessions } from './delete-group.js';
import type { FileGroup, GroupFile } from './group-file.js';
import type { GroupStore } from './group-store.js';

const CONCURRENT_READS = 16;

/** The effect of an import on a group. */
export interface ImportStep {
  group: string;
  positions: number;
  /** The number of existing positions that the file lacks. Their partitions start again where the group starts. */
  reset: number;
  /** True if the group exists, so that its positions are replaced. */
  exists: boolean;
}

/** The ports of {@link planImport}. */
export interface ImportPorts {
  connection: NatsConnection;
  config: Config;
  store: GroupStore;
}

/**
 * Checks whether an import is possible. Changes nothing.
 *
 * @param force true: accepts a stream that was created at another time, or restored from an older copy.
 * @throws NatspocError `members-alive`; `layout-mismatch` if the file is about another stream or other partitions.
 */
export async function planImport(ports: ImportPorts, file: GroupFile, force: boolean): Promise<ImportStep[]> {
  const { connection, config, store } = ports;
  const known = await findGroups(connection, config).catch((error: unknown): string[] => {
    // Without a bucket there are no groups.
    if (error instanceof NatspocError && error.code === 'stream-missing') return [];
    throw error;
  });
  const steps: ImportStep[] = [];
  for (const each of file.groups) {
    const exists = known.includes(each.group);
    await checkLayout(ports, each, exists);
    await checkStream(ports, each, force);
    if (!force) await checkStart(ports, each, file.createdAt);
    if (exists) await checkMembers(ports, each.group);
    const reset = exists ? await countMissing(store, each) : 0;
    steps.push({ group: each.group, positions: each.positions.length, reset, exists });
  }
  return steps;
}

/** The number of positions of an existing group that a file lacks. */
async function countMissing(
  { bucket }: GroupStore,
  { group, partitions, positions }: FileGroup,
): Promise<number> {
  const given = new Set(positions.map(({ partition }) => partition));
  const others = Array.from({ length: partitions }, (_, partition) => partition).filter((p) => !given.has(p));
  const found = await mapConcurrently(others, CONCURRENT_READS, async (partition) => {
    const read = await bucket.read(keys.position(group, partition));
    if (read.kind === 'failed') throw read.error;
    return read.kind === 'found' && read.entry.value !== null;
  });
  return found.filter(Boolean).length;
}

async function checkMembers({ connection, config }: ImportPorts, group: string): Promise<void> {
  const stream = await StreamAdmin.open(connection, configOf(config, group));
  const [dead] = await deadSessions(stream, group, 'imported');
  if (dead === undefined) return;
  const message = `Group ${group} has a member that died and was not fenced (${dead}): delete the group first with "natspoc groups delete ${shellWord(group)}".`;
  throw new NatspocError('members-alive', message);
}

/** @throws NatspocError `layout-mismatch` if the positions in the file belong to another layout. */
async function checkLayout({ store }: ImportPorts, file: FileGroup, exists: boolean): Promise<void> {
  const { group, layout, partitions } = file;
  const found = exists ? (await findGroupLayout(store.bucket, group))?.layout : undefined;
  if (exists && !isSameLayout(found ?? null, layout))
    throw new NatspocError(
      'layout-mismatch',
      `Group ${group} exists, and its partitions differ from those in the file. "natspoc groups delete ${shellWord(group)}" deletes the group; then import again.`,
    );
  if (layout === null && store.partitions !== partitions)
    throw new NatspocError(
      'layout-mismatch',
      `Group ${group} has ${partitions} partitions in the file, but the stream has ${store.partitions ?? 'none'}: its positions belong to other partitions.`,
    );
}

const isSameLayout = (a: GroupLayoutRecord | null, b: GroupLayoutRecord | null): boolean =>
  a?.key === b?.key &&
  a?.filter === b?.filter &&
  a?.partitions === b?.partitions &&
  (a?.epoch ?? 0) === (b?.epoch ?? 0);

/** @throws NatspocError `layout-mismatch` if the positions are not those of this stream. */
async function checkStream({ store, config }: ImportPorts, file: FileGroup, force: boolean): Promise<void> {
  const { lastSequence: last, created } = store;
  await mapConcurrently(file.positions, CONCURRENT_READS, async (position) => {
    const { partition, sequence } = position;
    const isThere = position.stored !== undefined && sequence <= last;
    const stored = isThere ? await store.storedTime(sequence) : undefined;
    const fault = misfit(position, { last, created, stored });
    if (fault === null || (fault === 'other-stream' && force)) return;
    const where = `Group ${file.group}, p${partition}: position ${sequence}`;
    if (fault === 'other-stream') throw otherStream(where, config);
    throw new NatspocError(
      'layout-mismatch',
      `${where} is beyond the end of stream ${config.stream}, whose last sequence is ${last}.`,
    );
  });
}

/**
 * Checks a group without positions: its start and deleted messages are sequences of the stream, too.
 *
 * @throws NatspocError `layout-mismatch` if they are not those of this stream.
 */
async function checkStart(
  { store, config }: ImportPorts,
  { group, positions, start, cleared }: FileGroup,
  createdAt: string | null,
): Promise<void> {
  if (positions.some(({ sequence }) => sequence > 0)) return;
  const sequence = Math.max(start?.seq ?? 0, ...cleared.map((each) => each.sequence));
  if (sequence === 0) return;
  const created = createdAt === null ? undefined : Date.parse(createdAt);
  const stored = start?.stored === undefined ? undefined : await store.storedTime(start.seq);
  const here = { last: Number.POSITIVE_INFINITY, created: store.created, stored };
  if (misfit({ sequence, created, stored: start?.stored }, here) !== null)
    throw otherStream(`Group ${group}: its start`, config);
}

const otherStream = (what: string, { stream }: Config): NatspocError =>
  new NatspocError(
    'layout-mismatch',
    `${what} belongs to a stream that was not created at the same time as stream ${stream}. If the messages of both streams have the same sequences, add --force.`,
  );
