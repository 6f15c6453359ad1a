import type { Config } from '../../core/config/config.js';
import { NatspocError } from '../../core/lib/errors.js';
import type { NatsConnection } from '../../core/nats/client/connection.js';
import { openManager } from '../../core/nats/client/manager.js';
import { createdAt, storedAt } from '../../core/nats/jetstream/stream-identity.js';
import { bucketStream, NatsBucket } from '../../core/nats/kv/bucket.js';
import { createStream, findStream } from '../../core/nats/stream/creation.js';
import { missingStore } from '../../core/nats/stream/missing-store.js';
import { bucketConfig } from '../../core/nats/stream/stored.js';
import { describedLayout, readLayout, writeLayout } from '../../core/nats/stream/stream-layout.js';
import type { Bucket } from '../../core/ports/index.js';

/** The bucket of a stream, and the values that identify the stream. */
export interface GroupStore {
  bucket: Bucket;
  /** Partitions of the stream's own layout; undefined if the stream has no layout. */
  partitions: number | undefined;
  lastSequence: number;
  /** When the stream was created, in milliseconds since 1970 on the server's clock; undefined if unknown. */
  created: number | undefined;
  /** When a message was stored, in milliseconds since 1970 on the server's clock; undefined if it is unknown. */
  storedTime(sequence: number): Promise<number | undefined>;
}

/**
 * Opens the bucket of an existing stream.
 *
 * @param create true: creates a missing bucket with the layout of the stream.
 * @throws NatspocError `stream-missing` if the stream is missing, or if its bucket is missing and `create` is false.
 */
export async function openGroupStore(
  connection: NatsConnection,
  config: Config,
  create: boolean,
): Promise<GroupStore> {
  const manager = await openManager(connection, config);
  const stream = await findStream(manager, config.stream);
  const found = await findStream(manager, bucketStream(config.bucket));
  const missing = await missingStore(manager, config, { stream, bucket: found });
  if (!stream || (missing !== undefined && !create)) throw new NatspocError('stream-missing', missing ?? '');
  if (!found) {
    const wanted = bucketConfig({ ...config, replicas: stream.config.num_replicas }, {});
    await createStream(manager, wanted, {
      otherSubjects: `choose another bucket with ${config.option('bucket')}`,
      limitBytes: 'Create the bucket yourself with a limit: "nats kv add"',
    });
  }
  const handles = { connection, manager, inboxPrefix: config.inboxPrefix };
  const bucket = new NatsBucket(handles, config.bucket, config.timeoutMs);
  const described = describedLayout(stream.config);
  let { layout, revision } = await readLayout(bucket, config.bucket, config.timeoutMs);
  if (!layout && described && create) layout = await writeLayout(bucket, config.bucket, described, revision);
  return {
    bucket,
    partitions: (layout ?? described)?.partitions,
    lastSequence: stream.state.last_seq,
    created: createdAt(stream, connection),
    storedTime: (sequence) => storedAt(handles, config.stream, sequence),
  };
}
