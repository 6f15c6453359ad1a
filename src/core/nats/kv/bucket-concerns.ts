import { DiscardPolicy, RetentionPolicy, StorageType, type StreamConfig } from 'nats';
import { formatBytes, formatCount } from '../../lib/units.js';
import { ALL_USES, type Concern, fieldOf } from '../client/concern.js';
import { bucketSubject } from './bucket.js';

/** Size, in bytes, of one partition's entries for one group: 16 of the lease and 16 of the position. */
const BYTES_A_PARTITION = 8_192;
const ENTRIES_A_PARTITION = 32;
/** Size of an entry with the longest names. */
const ENTRY_BYTES = 4_096;

type Judge = (config: StreamConfig, bucket: string) => string | undefined;

/** Settings with which a bucket cannot keep leases and positions, each with the reason. */
const REFUSED: Readonly<Record<string, Judge>> = {
  subjects: ({ subjects, mirror }, bucket) =>
    mirror || subjects?.includes(bucketSubject(bucket, '>')) ? undefined : 'is not a KV bucket',
  max_age: ({ max_age }) => (max_age > 0 ? 'has a TTL' : undefined),
  storage: ({ storage }) => (storage === StorageType.Memory ? 'is kept in memory only' : undefined),
  discard: ({ discard, max_bytes, max_msgs }) =>
    discard === DiscardPolicy.Old && (max_bytes > 0 || max_msgs > 0)
      ? 'drops old entries when it is full'
      : undefined,
  retention: ({ retention }) =>
    retention === RetentionPolicy.Limits ? undefined : `has ${retention} retention, which keeps nothing`,
  no_ack: ({ no_ack }) => (no_ack ? 'confirms no write (no_ack)' : undefined),
  sealed: ({ sealed }) => (sealed ? 'is sealed' : undefined),
  mirror: ({ mirror }) => (mirror ? `is a mirror of ${mirror.name}` : undefined),
  sources: ({ sources }) =>
    sources && sources.length > 0 ? 'copies entries of other streams (sources)' : undefined,
  subject_transform: ({ subject_transform }) =>
    subject_transform ? 'stores entries under other keys (subject_transform)' : undefined,
  discard_new_per_subject: ({ discard_new_per_subject, max_msgs_per_subject }) =>
    discard_new_per_subject && max_msgs_per_subject > 0
      ? 'refuses writes to a full key (discard_new_per_subject)'
      : undefined,
  max_msg_size: ({ max_msg_size }) =>
    max_msg_size > 0 && max_msg_size < ENTRY_BYTES
      ? `accepts entries of up to ${formatBytes(max_msg_size)} (max_msg_size), but needs ${formatBytes(ENTRY_BYTES)}`
      : undefined,
};

/** The requirements that a bucket is checked against. */
export interface BucketNeeds {
  bucket: string;
  partitions: number;
  /** Replicas of the stream; undefined if the stream does not exist yet. */
  replicas: number | undefined;
}

/** The concerns about a bucket's settings. A refused setting would lose leases or positions. */
export function bucketConcerns(config: StreamConfig, needs: BucketNeeds): Concern[] {
  const { bucket, partitions, replicas = 0 } = needs;
  const refused = Object.entries(REFUSED).flatMap(([setting, judge]): Concern[] => {
    const why = judge(config, bucket);
    const message = `Bucket ${bucket} ${why}: leases and positions would be lost. Choose another bucket, or let natspoc create one.`;
    return why === undefined ? [] : [{ severity: 'refused', uses: ALL_USES, setting, message }];
  });
  const { name, max_bytes, max_msgs, max_msgs_per_subject, num_replicas } = config;
  const [bytes, entries] = [partitions * BYTES_A_PARTITION, partitions * ENTRIES_A_PARTITION];
  const warnings: Record<string, string | false> = {
    max_bytes:
      max_bytes > 0 &&
      max_bytes < bytes &&
      `is full at ${formatBytes(max_bytes)}, and each group may need ${formatBytes(bytes)}: "nats stream edit ${name} --max-bytes ${bytes}".`,
    max_msgs:
      max_msgs > 0 &&
      max_msgs < entries &&
      `is full at ${formatCount(max_msgs)} entries, and each group may need ${formatCount(entries)}: "nats stream edit ${name} --max-msgs=-1".`,
    max_msgs_per_subject:
      max_msgs_per_subject <= 0 &&
      `keeps every entry and grows without limit: "nats stream edit ${name} --max-msgs-per-subject 16".`,
    num_replicas:
      num_replicas < replicas &&
      `has ${num_replicas} of the stream's ${replicas} replicas, so no group works while its server is down: "nats stream edit ${name} --replicas ${replicas}".`,
    persist_mode:
      fieldOf(config, 'persist_mode') === 'async' &&
      'confirms entries before they are written (persist_mode async).',
  };
  const warned = Object.entries(warnings).flatMap(([setting, message]): Concern[] =>
    message
      ? [{ severity: 'warning', uses: ['handle'], setting, message: `Bucket ${bucket} ${message}` }]
      : [],
  );
  return [...refused, ...warned];
}
