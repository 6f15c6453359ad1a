import type { NatsConnection, StreamInfo } from 'nats';
import type { Config } from '../../config/config.js';
import { NatspocError } from '../../lib/errors.js';
import type { NatsHandles } from '../client/handles.js';
import { openManager } from '../client/manager.js';
import { toNatspocError } from '../client/outcome.js';
import { bucketStream, NatsBucket } from '../kv/bucket.js';
import type { BucketCopy } from '../kv/bucket-copy.js';
import { listGroups } from '../kv/groups.js';
import { findStream } from './creation.js';
import { missingStore } from './missing-store.js';
import { readLayout } from './stream-layout.js';

/**
 * The names of all groups of an existing stream, keyed or not, sorted.
 *
 * @throws NatspocError `stream-missing` if there is no stream or no bucket, and the errors of `openTopology`.
 */
export async function findGroups(connection: NatsConnection, config: Config): Promise<string[]> {
  const { handles } = await openBucket(connection, config);
  return listGroups(handles, config.bucket);
}

/**
 * The names of the account's streams that have a bucket with the default name, sorted.
 *
 * @throws NatspocError `not-permitted`, `unreachable`, …
 */
export async function findStreams(connection: NatsConnection, config: Config): Promise<string[]> {
  const manager = await openManager(connection, config);
  const names = new Set<string>();
  try {
    for await (const name of manager.streams.names()) names.add(name);
  } catch (error) {
    throw toNatspocError(error, 'list the streams of the account');
  }
  return [...names].filter((name) => names.has(bucketStream(`${name}_leases`))).sort();
}

/**
 * Brings a copy of the bucket of an existing stream up to date.
 *
 * @throws the errors of {@link findGroups}.
 */
export async function updateCopy(
  connection: NatsConnection,
  config: Config,
  copy: BucketCopy,
): Promise<void> {
  const { handles, info } = await openBucket(connection, config);
  await copy.update(handles, config.bucket, info, config.timeoutMs);
}

/** @throws NatspocError `stream-missing` if there is no stream or no bucket. */
async function openBucket(
  connection: NatsConnection,
  config: Config,
): Promise<{ handles: NatsHandles; info: StreamInfo }> {
  const manager = await openManager(connection, config);
  const stream = await findStream(manager, config.stream);
  const bucket = await findStream(manager, bucketStream(config.bucket));
  const missing = await missingStore(manager, config, { stream, bucket });
  if (!bucket || missing !== undefined) throw new NatspocError('stream-missing', missing ?? '');
  return { handles: { connection, manager, inboxPrefix: config.inboxPrefix }, info: bucket };
}

/** A bucket without its stream. */
export interface OrphanBucket {
  groups: string[];
  remove(): Promise<void>;
}

/**
 * The configured bucket, if it exists and its stream does not.
 *
 * @throws the errors of `openTopology`.
 */
export async function findOrphanBucket(
  connection: NatsConnection,
  config: Config,
): Promise<OrphanBucket | undefined> {
  const manager = await openManager(connection, config);
  const name = bucketStream(config.bucket);
  if (await findStream(manager, config.stream)) return undefined;
  const found = await findStream(manager, name);
  if (!found) return undefined;
  const handles: NatsHandles = { connection, manager, inboxPrefix: config.inboxPrefix };
  const { layout } = await readLayout(
    new NatsBucket(handles, config.bucket, config.timeoutMs),
    config.bucket,
    config.timeoutMs,
  );
  if (!layout && found.state.messages > 0) {
    throw new NatspocError(
      'layout-mismatch',
      `There is no stream ${config.stream}, and bucket ${config.bucket} holds entries but no layout, so it is not natspoc's.`,
    );
  }
  return {
    groups: await listGroups(handles, config.bucket),
    remove: async () => {
      await manager.streams.delete(name).catch((error: unknown) => {
        throw toNatspocError(error, `delete bucket ${config.bucket}`);
      });
    },
  };
}
