import { DiscardPolicy, RetentionPolicy, StorageType, type StreamConfig } from 'nats';
import type { Config } from '../../config/config.js';
import { partitionWildcard } from '../../protocol/layout.js';
import type { LayoutRecord } from '../../protocol/records.js';
import { bucketStream, bucketSubject } from '../kv/bucket.js';
import { describeLayout } from './stream-layout.js';

/** How long the stream remembers message ids, so that a retried publish is stored once. */
const DUPLICATE_WINDOW_MS = 120_000;
/** Revisions kept of each key: enough for the story of a partition's last owners. */
const BUCKET_HISTORY = 16;

/** How a stream that has to be created is bounded; what is left out is without limit, or the default. */
export interface StreamLimits {
  storage?: 'file' | 'memory' | undefined;
  maxMessages?: number | undefined;
  maxBytes?: number | undefined;
  maxAgeMs?: number | undefined;
  /** How long message ids are remembered, so that a retried publish is stored once. */
  duplicateWindowMs?: number | undefined;
  /** What gives way when it is full. */
  discard?: 'old' | 'new' | undefined;
  /** Of the bucket: it refuses entries when it is full. */
  bucketMaxBytes?: number | undefined;
}

/** nats-server 2.15 allows a stream 1,000 consumers unless it says how many; -1 does not lift that. */
export const MANY_CONSUMERS = 1_000_000;

const nanos = (ms: number): number => ms * 1_000_000;

/** What a stream or bucket that has to be created is to be. */
export type Wanted = Partial<StreamConfig> & { name: string; subjects: string[] };

/** The stream of this layout; its description contains the layout for later clients. */
export const streamConfig = (config: Config, layout: LayoutRecord, limits: StreamLimits): Wanted => ({
  name: config.stream,
  description: describeLayout(layout),
  subjects: [partitionWildcard(layout.prefix)],
  retention: RetentionPolicy.Limits,
  storage: limits.storage === 'memory' ? StorageType.Memory : StorageType.File,
  num_replicas: config.replicas,
  // The server refuses a window that is longer than messages live.
  duplicate_window: nanos(
    limits.duplicateWindowMs ?? Math.min(DUPLICATE_WINDOW_MS, limits.maxAgeMs ?? DUPLICATE_WINDOW_MS),
  ),
  discard: limits.discard === 'new' ? DiscardPolicy.New : DiscardPolicy.Old,
  ...(limits.maxMessages !== undefined && { max_msgs: limits.maxMessages }),
  ...(limits.maxBytes !== undefined && { max_bytes: limits.maxBytes }),
  ...(limits.maxAgeMs !== undefined && { max_age: nanos(limits.maxAgeMs) }),
});

/** The bucket of leases and positions, as the stream that it is. */
export const bucketConfig = (config: Config, limits: StreamLimits): Wanted => ({
  name: bucketStream(config.bucket),
  subjects: [bucketSubject(config.bucket, '>')],
  retention: RetentionPolicy.Limits,
  storage: StorageType.File,
  num_replicas: config.replicas,
  max_msgs_per_subject: BUCKET_HISTORY,
  discard: DiscardPolicy.New,
  deny_delete: true,
  // One message with a rollup header would empty the bucket, for all groups: its sender needs to write only one key.
  allow_rollup_hdrs: false,
  // Positions have to be read through the leader; a direct get may answer from a replica that lags.
  allow_direct: false,
  ...(limits.bucketMaxBytes !== undefined && { max_bytes: limits.bucketMaxBytes }),
});
