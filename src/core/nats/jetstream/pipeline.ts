import { randomBytes } from 'node:crypto';
import { ErrorCode, type Msg, type NatsConnection, NatsError } from 'nats';
import { messageOf, NatspocError } from '../../lib/errors.js';
import { withoutStop } from '../../lib/text.js';
import type { Break } from '../../ports/index.js';
import type { OpenPublishPort, PublishPort, PublishPortEvents, Rejection } from '../../ports/publishing.js';
import { EncodedHeaders } from '../client/headers.js';
import { listen } from '../client/listen.js';
import { closedByUs, closedError, watchConnection } from '../client/watch-connection.js';
import { PubAckReader } from './puback.js';

const NO_RESPONDERS: Rejection = {
  code: 503,
  description: 'no stream answers on this subject',
  retryable: true,
};
/** The default limit of nats-server, in bytes. It applies until the server has sent its own limit. */
const DEFAULT_MAX_PAYLOAD = 1024 * 1024;
const DEFAULT_INBOX_PREFIX = '_INBOX';
const ZERO = 0x30;

/** Size limit of one message, headers and payload together, in bytes. */
export const maxPayloadOf = ({ info }: NatsConnection): number => info?.max_payload ?? DEFAULT_MAX_PAYLOAD;

/** Where to publish. */
export interface PublishedStream {
  /** The stream that must confirm the messages; an answer from another stream is an error. */
  stream: string;
  /** The JetStream domain of the stream; empty for none. If undefined, any domain is accepted. */
  domain?: string | undefined;
  /** Prefix of reply subjects, if permissions require a prefix other than `_INBOX`. */
  inboxPrefix?: string | undefined;
}

/**
 * Publishes over one connection. All answers arrive at one wildcard inbox. The last token of the reply subject
 * identifies the message. So a message needs no subscription, timer or promise of its own.
 */
class Pipeline implements PublishPort {
  readonly #connection: NatsConnection;
  readonly #events: PublishPortEvents;
  readonly #inbox: string;
  readonly #acks: PubAckReader;
  readonly #headers = new EncodedHeaders();
  readonly #withHeaders: { reply: string; headers: EncodedHeaders };
  readonly #withoutHeaders = { reply: '' };
  readonly #unsubscribe: () => void;
  /** Stops watching the connection. A connection may outlive this pipeline, and must not keep the pipeline in memory. */
  readonly #unwatch: () => void;
  /**
   * False while the connection is down. Then no message is passed to the client, because the client would buffer it.
   * After the reconnect, a buffered message would overtake older messages that must be resent.
   */
  #up: boolean;
  #open = true;

  constructor(
    connection: NatsConnection,
    { stream, domain, inboxPrefix }: PublishedStream,
    events: PublishPortEvents,
  ) {
    this.#connection = connection;
    this.#events = events;
    // Only 64 random bits, because each character of the inbox is parsed twice per message.
    this.#inbox = `${inboxPrefix ?? DEFAULT_INBOX_PREFIX}.${randomBytes(8).toString('base64url')}.`;
    this.#acks = new PubAckReader(stream, domain);
    this.#withHeaders = { reply: '', headers: this.#headers };
    this.#up = connection.info !== undefined;
    const subscription = listen(connection, `${this.#inbox}*`, {
      message: (message) => this.#onAnswer(message),
      failed: (error) =>
        this.#close(error instanceof NatsError ? notPermitted(`${this.#inbox}*`, error) : brokenOff(error)),
    });
    this.#unsubscribe = () => {
      if (!connection.isClosed()) subscription.unsubscribe();
    };
    this.#unwatch = watchConnection(connection, {
      disconnected: (about) => this.#onDisconnected(about),
      reconnected: (server) => this.#onReconnected(server),
      refused: (operation, subject) => {
        if (this.#open && operation === 'publish') events.denied(subject);
      },
      closed: (error) => this.#close(error ? closedError(error) : closedByUs()),
    });
  }

  get maxPayload(): number {
    return maxPayloadOf(this.#connection);
  }

  send(subject: string, token: number, headers: Uint8Array | undefined, data: Uint8Array): boolean {
    if (!this.#up || this.#connection.isClosed()) return false;
    const reply = this.#inbox + token;
    try {
      if (headers === undefined) {
        this.#withoutHeaders.reply = reply;
        this.#connection.publish(subject, data, this.#withoutHeaders);
      } else {
        this.#headers.bytes = headers;
        this.#withHeaders.reply = reply;
        this.#connection.publish(subject, data, this.#withHeaders);
      }
    } catch (error) {
      // A draining connection accepts no more messages.
      if (error instanceof NatsError && error.code === ErrorCode.ConnectionDraining) return false;
      throw error;
    }
    return true;
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#unwatch();
    this.#unsubscribe();
  }

  #onDisconnected(about: Break): void {
    this.#up = false;
    if (this.#open) this.#events.disconnected(about);
  }

  #onReconnected(server: string | null): void {
    this.#up = true;
    if (this.#open) this.#events.reconnected(server);
  }

  #onAnswer(message: Msg): void {
    const token = tokenOf(message.subject, this.#inbox.length);
    const { data } = message;
    const sequence = this.#acks.sequence(data);
    if (sequence > 0) {
      this.#events.confirmed(token, sequence, false);
      return;
    }
    if (data.length === 0 && message.headers?.code === NO_RESPONDERS.code) {
      this.#events.rejected(token, NO_RESPONDERS);
      return;
    }
    const outcome = this.#acks.decode(data);
    if (outcome.kind === 'stored') this.#events.confirmed(token, outcome.sequence, outcome.duplicate);
    else if (outcome.kind === 'refused') this.#events.rejected(token, outcome.reason);
    else this.#events.elsewhere(token, outcome.reason);
  }

  #close(error: NatspocError): void {
    if (!this.#open) return;
    this.#open = false;
    this.#unwatch();
    this.#events.closed(error);
  }
}

function notPermitted(inbox: string, cause: Error): NatspocError {
  const hint = 'Add the permission, or choose another inbox prefix.';
  const message = `Not permitted to subscribe to ${inbox}, where confirmations arrive. ${hint}`;
  return new NatspocError('not-permitted', message, { cause });
}

const brokenOff = (cause: Error): NatspocError =>
  new NatspocError('failed', `The publisher has stopped: ${withoutStop(messageOf(cause))}.`, { cause });

/** The decimal number from `start` to the end of a subject; -1 if that part is not a number. */
function tokenOf(subject: string, start: number): number {
  if (subject.length === start) return -1;
  let token = 0;
  for (let i = start; i < subject.length; i++) {
    const digit = subject.charCodeAt(i) - ZERO;
    if (digit < 0 || digit > 9) return -1;
    token = token * 10 + digit;
  }
  return token;
}

/**
 * A publisher's port to one stream. Only that stream's answers count as confirmations. Beyond a leaf node, a stream of
 * another domain may answer too.
 */
export function natsPublishPort(connection: NatsConnection, to: PublishedStream): OpenPublishPort {
  return (events) => new Pipeline(connection, to, events);
}
