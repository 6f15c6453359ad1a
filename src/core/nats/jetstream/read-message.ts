import type { LastForMsgRequest, MsgHdrs, SeqMsgRequest } from 'nats';
import type { NatsHandles } from '../client/handles.js';
import { API_ERRORS, apiErrorCode, toNatspocError } from '../client/outcome.js';

/** A message by its sequence, the last message of a subject, or the first one of a subject from a sequence on. */
export type MessageQuery = SeqMsgRequest | LastForMsgRequest | (SeqMsgRequest & { next_by_subj: string });

/**
 * A stored message as the client delivers it. `atMs`: time of storage, in milliseconds since 1970 on the server's clock.
 */
export interface ReadMessage {
  subject: string;
  headers: MsgHdrs | undefined;
  data: Uint8Array;
  sequence: number;
  atMs: number;
}

/**
 * Reads one message from the leader of a stream.
 *
 * @returns undefined if the message does not exist (any more).
 * @throws NatspocError if the message cannot be read.
 */
export async function readMessage(
  { manager }: Pick<NatsHandles, 'manager'>,
  stream: string,
  query: MessageQuery,
): Promise<ReadMessage | undefined> {
  try {
    const {
      seq: sequence,
      time,
      subject,
      header: headers,
      data,
    } = await manager.streams.getMessage(stream, query);
    return { sequence, atMs: time.getTime(), subject, headers, data };
  } catch (error) {
    if (apiErrorCode(error) === API_ERRORS.messageNotFound) return undefined;
    const isLast = 'last_by_subj' in query;
    const what = isLast ? `the last message of ${query.last_by_subj}` : 'a message';
    throw toNatspocError(error, `read ${what} in ${stream}`);
  }
}
