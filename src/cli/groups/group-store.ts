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
  /** The bucket. It may be missing until {@link create} was called. */
  bucket: Bucket;
  /** Partitions of the stream's own layout; undefined if the stream has no layout. */
  partitions: number | undefined;
  lastSequence: number;
  /** When the stream was created, in milliseconds since 1970 on the server's clock; undefined if unknown. */
  created: number | undefined;
  /** When a message was stored, in milliseconds since 1970 on the server's clock; undefined if it is unknown. */
  storedTime(sequence: number): Promise<number | undefined>;
  /** Creates the bucket and the stream's layout in it, if they are missing. Returns true if the bucket is new. */
  create(): Promise<boolean>;
}

/**
 * Opens the bucket of an existing stream. Changes nothing.
 *
 * @throws NatspocError `stream-missing` if the stream is missing.
 */
export async function openGroupStore(connection: NatsConnection, config: Config): Promise<GroupStore> {
  const manager = await openManager(connection, config);
  const stream = await findStream(manager, config.stream);
  const found = await findStream(manager, bucketStream(config.bucket));
  if (!stream) {
    const missing = await missingStore(manager, config, { stream, bucket: found });
    throw new NatspocError('stream-missing', missing ?? '');
  }
  const handles = { connection, manager, inboxPrefix: config.inboxPrefix };
  const bucket = new NatsBucket(handles, config.bucket, config.timeoutMs);
  const described = describedLayout(stream.config);
  const { layout, revision } = found
    ? await readLayout(bucket, config.bucket, config.timeoutMs)
    : { layout: undefined, revision: 0 };
  return {
    bucket,
    partitions: (layout ?? described)?.partitions,
    lastSequence: stream.state.last_seq,
    created: createdAt(stream, connection),
    storedTime: (sequence) => storedAt(handles, config.stream, sequence),
    async create() {
      if (!found) {
        const wanted = bucketConfig({ ...config, replicas: stream.config.num_replicas }, {});
        await createStream(manager, wanted, {
          otherSubjects: `choose another bucket with ${config.option('bucket')}`,
          limitBytes: 'Create the bucket yourself with a limit: "nats kv add"',
        });
      }
      if (!layout && described) await writeLayout(bucket, config.bucket, described, revision);
      return !found;
    },
  };
}
