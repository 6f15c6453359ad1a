import { DeliverPolicy } from 'nats';
import { truncate } from '../../lib/text.js';
import { startOfText } from '../../lib/utf8.js';
import type { MessageFacts, StreamFacts } from '../../ports/facts.js';
import { fetchMessages } from '../jetstream/fetch.js';
import { headerPairs, type Partitioned, placeOf } from '../jetstream/stored-message.js';
import type { Topology } from './topology.js';

const PREVIEW_BYTES = 2_048;
/** Maximum number of headers in an observation, and maximum length of a header's value. */
const HEADERS = 32;
const HEADER_CHARACTERS = 256;
/** If the average message is larger than this, in bytes, only headers are read. */
const LARGE_MESSAGE_BYTES = 16_384;

/**
 * Reads the newest messages of a stream.
 *
 * @param partitioned the current partitioning.
 * @param facts the last known state of the stream.
 * @param after only messages after this sequence.
 * @param limit maximum number of messages.
 */
export async function newestMessages(
  topology: Topology,
  partitioned: () => Partitioned,
  facts: StreamFacts,
  { after, limit, timeoutMs }: { after: number; limit: number; timeoutMs: number },
): Promise<MessageFacts[]> {
  if (facts.messages === 0 || facts.lastSequence <= after) return [];
  const start = Math.max(after + 1, facts.lastSequence - limit + 1, facts.firstSequence);
  const { messages, serverAheadMs } = await fetchMessages(topology, {
    stream: facts.name,
    filter: topology.reads.all,
    start: { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: start },
    limit,
    headersOnly: facts.bytes / facts.messages > LARGE_MESSAGE_BYTES,
    timeoutMs,
  });
  return messages.map(({ sequence, atMs: storedAtMs, subject, data, headers }) => {
    const leftOut = Number(headers?.get('Nats-Msg-Size') || Number.NaN);
    const pairs = headerPairs(headers).slice(0, HEADERS);
    const atMs = storedAtMs - serverAheadMs;
    return {
      sequence,
      subject,
      atMs,
      ...placeOf(partitioned(), { sequence, atMs, subject, data, headers }),
      ...(pairs.length > 0 && {
        headers: pairs.map(([name, value]): [string, string] => [name, truncate(value, HEADER_CHARACTERS)]),
      }),
      size: Number.isNaN(leftOut) ? data.length : leftOut,
      preview: Number.isNaN(leftOut) ? (startOfText(data, PREVIEW_BYTES) ?? null) : '',
    };
  });
}
