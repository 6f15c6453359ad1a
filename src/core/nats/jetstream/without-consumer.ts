import { DeliverPolicy } from 'nats';
import { mapConcurrently } from '../../lib/concurrently.js';
import type { NatsHandles } from '../client/handles.js';
import { toNatspocError } from '../client/outcome.js';
import type { Fetched, FetchOptions } from './fetch.js';
import { type ReadMessage, readMessage } from './read-message.js';

const CONCURRENT_READS = 16;

/**
 * Reads the messages of a stream in order, with one request for each, between two sequences (inclusive). Slow, but needs
 * no consumer.
 *
 * @throws NatspocError if a message cannot be read.
 */
export async function* messagesFrom(
  handles: NatsHandles,
  { stream, filter }: Pick<FetchOptions, 'stream' | 'filter'>,
  first: number,
  last: number,
): AsyncGenerator<ReadMessage> {
  for (let seq = Math.max(1, first); seq <= last; ) {
    const found = await readMessage(handles, stream, { seq, next_by_subj: filter });
    if (!found || found.sequence > last) return;
    yield found;
    seq = found.sequence + 1;
  }
}

/**
 * Fetches messages without a consumer, for a stream that has reached its limit of consumers. If not all messages are
 * read, `available` is an estimate, as if the subjects were spread evenly over the stream.
 *
 * @returns undefined if these messages can only be read through a consumer.
 * @throws NatspocError if the server does not answer or does not permit the reads.
 */
export async function fetchWithoutConsumer(
  handles: NatsHandles,
  { stream, filter, start, limit }: FetchOptions,
): Promise<Fetched | undefined> {
  const { deliver_policy: policy, opt_start_seq: from = 1 } = start;
  const isSequence = policy === DeliverPolicy.StartSequence || policy === DeliverPolicy.All;
  if (!isSequence && policy !== DeliverPolicy.LastPerSubject) return undefined;
  const askedAt = Date.now();
  const info = await handles.manager.streams
    .info(stream, { subjects_filter: filter })
    .catch((error: unknown) => {
      throw toNatspocError(error, `read ${stream}`);
    });
  const { state } = info;
  const subjects = Object.entries(state.subjects ?? {});
  // Servers before 2.10 do not tell their time. Their clock is assumed to agree with ours.
  const now = 'ts' in info ? Date.parse(String(info.ts)) : Number.NaN;
  const serverAheadMs = Number.isNaN(now) ? 0 : now - (askedAt + Date.now()) / 2;
  const read = { serverAheadMs, timedOut: false };
  if (policy === DeliverPolicy.LastPerSubject) {
    const found = await mapConcurrently(subjects.slice(0, limit), CONCURRENT_READS, ([subject]) =>
      readMessage(handles, stream, { last_by_subj: subject }),
    );
    const messages = found.filter((message) => message !== undefined).sort((a, b) => a.sequence - b.sequence);
    return { ...read, messages, available: messages.length };
  }
  const messages: ReadMessage[] = [];
  for await (const message of messagesFrom(handles, { stream, filter }, from, state.last_seq)) {
    if (messages.length === limit) {
      const stored = subjects.reduce((sum, [, count]) => sum + count, 0);
      const later = state.last_seq - Math.max(from, state.first_seq) + 1;
      const share = Math.min(1, later / (state.last_seq - state.first_seq + 1));
      const available = Math.max(messages.length + 1, Math.ceil(stored * share));
      return { ...read, messages, available, isEstimate: share < 1 };
    }
    messages.push(message);
  }
  return { ...read, messages, available: messages.length };
}
