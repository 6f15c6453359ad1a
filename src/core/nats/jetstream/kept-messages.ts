import type { KeepingStream, StoredCopy, StoreOutcome } from '../../ports/keeping-stream.js';
import { MESSAGE_ID_HEADER } from '../../protocol/message.js';
import type { NatsHandles } from '../client/handles.js';
import { encodeHeaders, plainHeaders } from '../client/headers.js';
import { isUnknownOutcome } from '../client/outcome.js';
import { maxPayloadOf } from './pipeline.js';
import { publishOnce } from './publish-once.js';
import { readMessage } from './read-message.js';
import { storeOnce } from './store-once.js';

type Headers = StoredCopy['headers'];

const encode = (headers: Headers, id: string | undefined): Uint8Array =>
  encodeHeaders(id === undefined ? headers : { ...headers, [MESSAGE_ID_HEADER]: id }).encode();

/** Stores messages in one stream, each only once, and reads them by their sequences. */
export interface KeptMessages {
  /** Size limit, in bytes, of the payload of a message with these headers and this id. */
  room(headers: Headers, id: string): number;
  /** Stores a message once; see {@link storeOnce}. Without an id, every call stores the message again. */
  store(
    message: StoredCopy,
    id: string | undefined,
    isCopy: (stored: StoredCopy) => boolean,
  ): Promise<StoreOutcome>;
  /** The message with this sequence. Undefined if it does not exist or could not be read. */
  find(sequence: number): Promise<StoredCopy | undefined>;
}

/** {@link KeptMessages} on a real server. */
export function keptMessages(handles: NatsHandles, stream: string, timeoutMs: number): KeptMessages {
  const { connection, inboxPrefix } = handles;
  const read: KeepingStream['read'] = async (seq) => {
    try {
      const found = await readMessage(handles, stream, { seq });
      if (!found) return { kind: 'missing' };
      const { subject, headers, data } = found;
      return { kind: 'found', message: { subject, headers: plainHeaders(headers), data } };
    } catch (error) {
      return { kind: isUnknownOutcome(error) ? 'unknown' : 'missing' };
    }
  };
  return {
    room: (headers, id) => maxPayloadOf(connection) - encode(headers, id).length,
    store({ subject, headers, data }, id, isCopy) {
      const target = { stream, domain: handles.domain, inboxPrefix };
      const publish: KeepingStream['publish'] = (current) => {
        const encoded = encode(headers, id === undefined ? undefined : current);
        return publishOnce(connection, target, { subject, headers: encoded, data }, timeoutMs);
      };
      return storeOnce({ publish, read }, id ?? '', isCopy);
    },
    async find(sequence) {
      const found = await read(sequence);
      return found.kind === 'found' ? found.message : undefined;
    },
  };
}
