import { DeliverPolicy, type NatsConnection } from 'nats';
import type { Config } from '../../config/config.js';
import { keys } from '../../protocol/keys.js';
import { startPatienceMs } from '../client/ask-again.js';
import { openManager } from '../client/manager.js';
import { fetchMessages } from '../jetstream/fetch.js';
import { bucketStream, NatsBucket } from '../kv/bucket.js';
import { findStream } from './creation.js';
import type { Topology } from './topology.js';

/**
 * True if the configured group has begun: its first member has decided where the group starts. If the start cannot be
 * read in time, the group counts as begun.
 *
 * @throws NatspocError if the server does not answer the search for the bucket, or does not permit the reads.
 */
export async function hasBegun(connection: NatsConnection, config: Config): Promise<boolean> {
  const manager = await openManager(connection, config);
  if (!(await findStream(manager, bucketStream(config.bucket), startPatienceMs(config)))) return false;
  const handles = { connection, manager, inboxPrefix: config.inboxPrefix };
  const bucket = new NatsBucket(handles, config.bucket, config.timeoutMs);
  const found = await bucket.read(keys.start(config.group));
  if (found.kind === 'failed') throw found.error;
  return found.kind !== 'missing' && (found.kind === 'unknown' || found.entry.value !== null);
}

/**
 * True if the stream of a configuration exists.
 *
 * @throws NatspocError if the server does not answer, or does not permit the request.
 */
export async function hasStream(connection: NatsConnection, config: Config): Promise<boolean> {
  const manager = await openManager(connection, config);
  return (await findStream(manager, config.stream, startPatienceMs(config))) !== undefined;
}

/** Number of messages after a sequence, in all partitions of a group. */
export async function countAfter(topology: Topology, sequence: number, timeoutMs: number): Promise<number> {
  const { available } = await fetchMessages(topology, {
    stream: topology.stream,
    filter: topology.reads.all,
    start: { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: sequence + 1 },
    limit: 0,
    timeoutMs,
  });
  return available;
}
