import { DeliverPolicy } from 'nats';
import type { EndFacts } from '../../ports/facts.js';
import { partitionOfSubject, partitionSubject, partitionWildcard } from '../../protocol/layout.js';
import { fetchMessages, isWhole } from '../jetstream/fetch.js';
import { readMessage } from '../jetstream/read-stream.js';
import type { Topology } from './topology.js';

/**
 * The last message of each partition that has one.
 *
 * All are read at once. If fewer arrive than announced, the missing ones are read one by one: the server is slow, or
 * (with 2.9) the last message of the stream was deleted and its subject is still counted.
 *
 * @throws NatspocError if the server does not answer.
 */
export async function partitionEnds(topology: Topology, timeoutMs: number): Promise<EndFacts[]> {
  const { layout, stream } = topology;
  const fetched = await fetchMessages(topology, {
    stream,
    filter: partitionWildcard(layout.prefix),
    start: { deliver_policy: DeliverPolicy.LastPerSubject },
    limit: layout.partitions,
    headersOnly: true,
    timeoutMs,
  });
  const ends = new Map<number, EndFacts>();
  for (const { message, delivery } of fetched.messages) {
    const partition = partitionOfSubject(layout.prefix, message.subject);
    if (partition === undefined) continue;
    const { streamSequence: sequence, timestampMs } = delivery;
    ends.set(partition, { partition, sequence, atMs: timestampMs - fetched.serverAheadMs });
  }
  if (!isWhole(fetched, layout.partitions)) {
    const missing = Array.from({ length: layout.partitions }, (_, p) => p).filter((p) => !ends.has(p));
    const asked = missing.map((partition) => endOf(topology, partition, fetched.serverAheadMs));
    for (const end of await Promise.all(asked)) if (end) ends.set(end.partition, end);
  }
  return [...ends.values()].sort((a, b) => a.partition - b.partition);
}

async function endOf(
  topology: Topology,
  partition: number,
  serverAheadMs: number,
): Promise<EndFacts | undefined> {
  const subject = partitionSubject(topology.layout.prefix, partition);
  const found = await readMessage(topology, topology.stream, { last_by_subj: subject });
  return found && { partition, sequence: found.sequence, atMs: found.atMs - serverAheadMs };
}
