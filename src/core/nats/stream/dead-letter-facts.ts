import type { DeadLetterFacts } from '../../ports/facts.js';
import { deadStream, deadSubject, readLetter } from '../../protocol/dead-letter.js';
import type { NatsHandles } from '../client/handles.js';
import { plainHeaders } from '../client/headers.js';
import { readMessage } from '../jetstream/read-message.js';
import { findStream } from './creation.js';

async function lastLetter(
  handles: NatsHandles,
  stream: string,
  prefix: string,
): Promise<DeadLetterFacts['last']> {
  const stored = await readMessage(handles, deadStream(stream), { last_by_subj: deadSubject(prefix) });
  const letter = stored && readLetter({ ...stored, headers: plainHeaders(stored.headers) }, stream);
  if (!letter) return null;
  const { partition, from: sequence, group, attempts, error, time: at } = letter;
  return { partition, sequence, group, attempts, error, at };
}

/**
 * The number of dead letters of a stream, and the last letter. Before the first letter, their stream may not exist.
 *
 * @param known the previous result. If nothing has changed since, the last letter is not read again.
 * @throws NatspocError if the server does not answer.
 */
export async function deadLetterFacts(
  handles: NatsHandles,
  source: { stream: string; prefix: string },
  known: DeadLetterFacts | null,
): Promise<DeadLetterFacts> {
  const { stream, prefix } = source;
  const name = deadStream(stream);
  const found = await findStream(handles.manager, name);
  if (!found) return { stream: name, messages: 0, bytes: 0, lastSequence: 0, last: null };
  const { messages, bytes, last_seq: lastSequence } = found.state;
  const same = known?.messages === messages && known.lastSequence === lastSequence;
  const last = messages === 0 ? null : same ? known.last : await lastLetter(handles, stream, prefix);
  return { stream: name, messages, bytes, lastSequence, last };
}
