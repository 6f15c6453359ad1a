import type { NatsConnection, StreamInfo } from 'nats';
import type { StreamFacts } from '../../ports/facts.js';
import { partitionOfSubject } from '../../protocol/layout.js';
import { createdAt } from '../jetstream/stream-identity.js';

const limitOf = (value: number): number | null => (value > 0 ? value : null);
const millis = (nanos: number | undefined): number | null => (nanos ? nanos / 1_000_000 : null);

/** The stream's state. The state includes the number of messages in each partition if the answer lists subjects. */
export function streamFacts(
  info: StreamInfo,
  connection: NatsConnection,
  { prefix, partitions }: { prefix: string; partitions: number },
): StreamFacts {
  const { config, state, cluster } = info;
  const created = createdAt(info, connection);
  const counts = state.subjects || state.messages === 0 ? new Array<number>(partitions).fill(0) : [];
  for (const [subject, count] of Object.entries(state.subjects ?? {})) {
    const partition = partitionOfSubject(prefix, subject);
    if (partition !== undefined && partition < partitions)
      counts[partition] = (counts[partition] ?? 0) + count;
  }
  return {
    name: config.name,
    subjects: config.subjects,
    messages: state.messages,
    bytes: state.bytes,
    firstSequence: state.first_seq,
    lastSequence: state.last_seq,
    firstAtMs: state.messages > 0 ? Date.parse(state.first_ts) : null,
    lastAtMs: state.messages > 0 ? Date.parse(state.last_ts) : null,
    ...(created !== undefined && { createdAtMs: created }),
    consumers: state.consumer_count,
    storage: config.storage === 'memory' ? 'memory' : 'file',
    replicas: config.num_replicas,
    leader: cluster?.leader ?? null,
    followers: (cluster?.replicas ?? []).map(({ name, current }) => ({ name, current })),
    maxMessages: limitOf(config.max_msgs),
    maxBytes: limitOf(config.max_bytes),
    maxAgeMs: millis(config.max_age),
    duplicateWindowMs: millis(config.duplicate_window),
    counts,
  };
}
