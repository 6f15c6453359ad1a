import { DiscardPolicy, RetentionPolicy, StorageType, type StreamConfig } from 'nats';
import type { Config } from '../../config/config.js';
import { partitionWildcard } from '../../protocol/layout.js';
import type { LayoutRecord } from '../../protocol/layout-records.js';
import { bucketStream, bucketSubject } from '../kv/bucket.js';
import { describeLayout } from './stream-layout.js';

/**
 * How long, in milliseconds, the stream remembers message ids. In this time, a message that is published again is stored
 * only once.
 */
export const DUPLICATE_WINDOW_MS = 120_000;
/** Number of kept revisions of each key, for the history of a partition's last owners. */
const BUCKET_HISTORY = 16;

/**
 * Limits of a new stream. `storage`, `duplicateWindowMs` and `discard` have defaults; all other limits are unlimited by
 * default.
 */
export interface StreamLimits {
  storage?: 'file' | 'memory' | undefined;
  maxMessages?: number | undefined;
  maxBytes?: number | undefined;
  maxAgeMs?: number | undefined;
  /** How long message ids are remembered. In this time, a message that is published again is stored only once. */
  duplicateWindowMs?: number | undefined;
  /** When the stream is full: drop `old` messages, or refuse `new` messages. */
  discard?: 'old' | 'new' | undefined;
  /** Size limit of the bucket, in bytes. A full bucket refuses entries. */
  bucketMaxBytes?: number | undefined;
}

/** Without a value, nats-server 2.15 allows 1,000 consumers of a stream; -1 does not lift that limit. */
export const MANY_CONSUMERS = 1_000_000;

const nanos = (ms: number): number => ms * 1_000_000;

/** The configuration of a stream or bucket to create. */
export type Wanted = Partial<StreamConfig> & { name: string; subjects: string[] };

/** The stream of this layout. Its description tells later clients the layout. */
export const streamConfig = (config: Config, layout: LayoutRecord, limits: StreamLimits): Wanted => ({
  name: config.stream,
  description: describeLayout(layout),
  subjects: [partitionWildcard(layout.prefix)],
  retention: RetentionPolicy.Limits,
  storage: limits.storage === 'memory' ? StorageType.Memory : StorageType.File,
  num_replicas: config.replicas,
  // The server refuses a duplicate window that is longer than the stream's maximum age.
  duplicate_window: nanos(
    limits.duplicateWindowMs ?? Math.min(DUPLICATE_WINDOW_MS, limits.maxAgeMs ?? DUPLICATE_WINDOW_MS),
  ),
  discard: limits.discard === 'new' ? DiscardPolicy.New : DiscardPolicy.Old,
  ...(limits.maxMessages !== undefined && { max_msgs: limits.maxMessages }),
  ...(limits.maxBytes !== undefined && { max_bytes: limits.maxBytes }),
  ...(limits.maxAgeMs !== undefined && { max_age: nanos(limits.maxAgeMs) }),
});

/** The stream that stores the bucket of leases and positions. */
export const bucketConfig = (config: Config, limits: StreamLimits): Wanted => ({
  name: bucketStream(config.bucket),
  subjects: [bucketSubject(config.bucket, '>')],
  retention: RetentionPolicy.Limits,
  storage: StorageType.File,
  num_replicas: config.replicas,
  max_msgs_per_subject: BUCKET_HISTORY,
  discard: DiscardPolicy.New,
  deny_delete: true,
  // With rollup headers, a client that may write one key could empty the bucket for all groups.
  allow_rollup_hdrs: false,
  // A lagging replica may answer a direct get, but positions must come from the leader.
  allow_direct: false,
  ...(limits.bucketMaxBytes !== undefined && { max_bytes: limits.bucketMaxBytes }),
});
