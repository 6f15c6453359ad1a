import { DeliverPolicy } from 'nats';
import { mapConcurrently } from '../../lib/concurrently.js';
import type { EndFacts } from '../../ports/facts.js';
import { partitionOfSubject, partitionWildcard } from '../../protocol/layout.js';
import { fetchMessages, isWhole } from '../jetstream/fetch.js';
import { readMessage } from '../jetstream/read-message.js';
import type { Topology } from './topology.js';

const CONCURRENT_ENDS = 16;

/**
 * The last message of each partition that has messages, including subjects with tokens after the partition.
 *
 * @throws NatspocError if the server does not answer.
 */
export async function partitionEnds(topology: Topology, timeoutMs: number): Promise<EndFacts[]> {
  const { ends, serverAheadMs } = await lastOfSubjects(topology, timeoutMs);
  if (!topology.hasTokens) return ends;
  // With tokens after the partition, a partition can have many subjects. The last message of all of them is requested.
  const partitions = Array.from({ length: topology.layout.partitions }, (_, partition) => partition);
  const deeper = await mapConcurrently(partitions, CONCURRENT_ENDS, (partition) =>
    endOf(topology, partition, topology.reads.of(partition)[1], serverAheadMs),
  );
  const last = new Map(ends.map((end) => [end.partition, end]));
  for (const end of deeper) {
    if (end && end.sequence > (last.get(end.partition)?.sequence ?? 0)) last.set(end.partition, end);
  }
  return [...last.values()].sort((a, b) => a.partition - b.partition);
}

/**
 * The last message of the first subject of each partition.
 *
 * All are read together. A message that does not arrive is read with its own request. That happens if the server is
 * slow. It also happens if nats-server 2.9 still counts the subject of a deleted last message.
 */
async function lastOfSubjects(
  topology: Topology,
  timeoutMs: number,
): Promise<{ ends: EndFacts[]; serverAheadMs: number }> {
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
  for (const { subject, sequence, atMs } of fetched.messages) {
    const partition = partitionOfSubject(layout.prefix, subject);
    if (partition !== undefined)
      ends.set(partition, { partition, sequence, atMs: atMs - fetched.serverAheadMs });
  }
  if (!isWhole(fetched, layout.partitions)) {
    const missing = Array.from({ length: layout.partitions }, (_, p) => p).filter((p) => !ends.has(p));
    const asked = missing.map((partition) =>
      endOf(topology, partition, topology.reads.of(partition)[0], fetched.serverAheadMs),
    );
    for (const end of await Promise.all(asked)) if (end) ends.set(end.partition, end);
  }
  const sorted = [...ends.values()].sort((a, b) => a.partition - b.partition);
  return { ends: sorted, serverAheadMs: fetched.serverAheadMs };
}

async function endOf(
  topology: Topology,
  partition: number,
  subject: string | undefined,
  serverAheadMs: number,
): Promise<EndFacts | undefined> {
  if (subject === undefined) return undefined;
  const found = await readMessage(topology, topology.stream, { last_by_subj: subject });
  return found && { partition, sequence: found.sequence, atMs: found.atMs - serverAheadMs };
}
