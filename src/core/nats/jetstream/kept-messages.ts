import type { KeepingStream, StoredCopy, StoreOutcome } from '../../ports/keeping-stream.js';
import type { NatsHandles } from '../client/handles.js';
import { encodeHeaders, plainHeaders } from '../client/headers.js';
import { API_ERRORS, apiErrorCode, isUnknownOutcome } from '../client/outcome.js';
import { maxPayloadOf } from './pipeline.js';
import { publishOnce } from './publish-once.js';
import { storeOnce } from './store-once.js';

const MESSAGE_ID_HEADER = 'Nats-Msg-Id';

/** A message that is to be kept once. */
export interface KeptMessage {
  subject: string;
  headers: Readonly<Record<string, string>>;
  data: Uint8Array;
}

/** Messages of one stream that are stored once each, and looked at by their sequence. */
export class KeptMessages {
  readonly #handles: NatsHandles;
  readonly #stream: string;
  readonly #timeoutMs: number;

  constructor(handles: NatsHandles, stream: string, timeoutMs: number) {
    this.#handles = handles;
    this.#stream = stream;
    this.#timeoutMs = timeoutMs;
  }

  /** Bytes of payload that fit beside these headers and an id. */
  room(headers: Readonly<Record<string, string>>, id: string): number {
    return maxPayloadOf(this.#handles.connection) - encode(headers, id).length;
  }

  /** Stores a message once; see {@link storeOnce}. Without an id every call stores it. */
  store(
    message: KeptMessage,
    id: string | undefined,
    isCopy: (stored: StoredCopy) => boolean,
  ): Promise<StoreOutcome> {
    const { connection, domain, inboxPrefix } = this.#handles;
    const { subject, headers, data } = message;
    const stream: KeepingStream = {
      publish: (current) =>
        publishOnce(
          connection,
          { stream: this.#stream, domain, inboxPrefix },
          { subject, headers: encode(headers, id === undefined ? undefined : current), data },
          this.#timeoutMs,
        ),
      read: (sequence) => this.#read(sequence),
    };
    return storeOnce(stream, id ?? '', isCopy);
  }

  /** The message of a sequence; undefined: it does not exist, reading is not permitted, or the server did not answer. */
  async find(sequence: number): Promise<StoredCopy | undefined> {
    const found = await this.#read(sequence);
    return found.kind === 'found' ? found.message : undefined;
  }

  async #read(sequence: number): ReturnType<KeepingStream['read']> {
    try {
      const stored = await this.#handles.manager.streams.getMessage(this.#stream, { seq: sequence });
      const { subject, header, data } = stored;
      return { kind: 'found', message: { subject, headers: plainHeaders(header), data } };
    } catch (error) {
      if (apiErrorCode(error) === API_ERRORS.messageNotFound) return { kind: 'missing' };
      return isUnknownOutcome(error) ? { kind: 'unknown' } : { kind: 'missing' };
    }
  }
}

const encode = (headers: Readonly<Record<string, string>>, id: string | undefined): Uint8Array =>
  encodeHeaders(id === undefined ? headers : { ...headers, [MESSAGE_ID_HEADER]: id }).encode();
