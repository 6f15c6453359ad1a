import { DeliverPolicy } from 'nats';
import { NatspocError } from '../../lib/errors.js';
import type { NatsHandles } from '../client/handles.js';
import { toNatspocError } from '../client/outcome.js';
import { fetchMessages, whyTimedOut } from './fetch.js';

/** Timeout of a search for one message, in milliseconds. */
const ANSWER_MS = 5_000;

/** The stream, and the subjects to search. */
export interface TimedStream {
  stream: string;
  filter: string;
}

interface Placed {
  sequence: number;
  atMs: number;
}

/** The input of {@link searchTime}. `from` finds the first message at or after a sequence. */
export interface TimeSearch {
  first: number;
  last: number;
  from(sequence: number): Promise<Placed | undefined>;
}

/**
 * Finds a sequence for a time by binary search. All messages before that sequence are older than the time. The result is
 * between `first` and `last` + 1, even if messages in between were deleted.
 */
export async function searchTime({ first, last, from }: TimeSearch, atMs: number): Promise<number> {
  let [low, high] = [first, last + 1];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const found = await from(middle);
    if (!found || found.atMs >= atMs) high = middle;
    else low = found.sequence + 1;
  }
  return low;
}

/**
 * The first sequence stored at or after a time. The server's own search by time is not used, because it is wrong in
 * nats-server 2.9 and 2.10 after deletions. In 2.9 it can even crash the server.
 *
 * @throws NatspocError if the server does not answer.
 */
export async function sequenceAtTime(
  handles: NatsHandles,
  { stream, filter }: TimedStream,
  time: Date,
): Promise<number> {
  const { state } = await handles.manager.streams.info(stream).catch((error: unknown) => {
    throw toNatspocError(error, `read the state of stream ${stream}`);
  });
  const { first_seq: first, last_seq: last, messages } = state;
  if (messages === 0 || time.getTime() > Date.parse(state.last_ts)) return last + 1;
  const from = async (sequence: number): Promise<Placed | undefined> => {
    const fetched = await fetchMessages(handles, {
      stream,
      filter,
      start: { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: sequence },
      limit: 1,
      headersOnly: true,
      timeoutMs: ANSWER_MS,
    });
    if (fetched.timedOut)
      throw new NatspocError('unreachable', `Could not read ${stream}: ${whyTimedOut(handles)}.`);
    return fetched.messages[0];
  };
  return searchTime({ first, last, from }, time.getTime());
}
