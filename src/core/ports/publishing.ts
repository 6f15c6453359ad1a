import type { NatspocError } from '../lib/errors.js';
import type { Break } from './link.js';

/**
 * The publisher's interface to a connection. Each message and its outcome carry the same token. The publisher manages
 * windows, retries and deadlines. Only the implementation of this interface uses NATS.
 */

/** Receives the events of the connection. */
export interface PublishPortEvents {
  /** The stream has stored the message with this token, at this sequence. */
  confirmed(token: number, sequence: number, duplicate: boolean): void;
  /** The message with this token is not stored. */
  rejected(token: number, reason: Rejection): void;
  /** Another stream or another program has answered; the intended stream may still answer. */
  elsewhere(token: number, reason: Rejection): void;
  /** Publishing to this subject is not permitted. The server dropped its messages without an answer. */
  denied(subject: string): void;
  /** The connection is down: messages without an answer may be stored. */
  disconnected(about?: Break): void;
  /** The connection is up again. Earlier messages will get no answer. */
  reconnected(server?: string | null): void;
  /** The connection has ended, or cannot be used for publishing. */
  closed(error: NatspocError): void;
}

/** A refusal by the server. `retryable`: the server may accept the message later. */
export interface Rejection {
  /** JetStream's error code; 0 means that there is none. */
  readonly code: number;
  readonly description: string;
  readonly retryable: boolean;
}

/** The part of a connection that one publisher uses. */
export interface PublishPort {
  /** Maximum size of the headers and payload of one message together, in bytes. */
  readonly maxPayload: number;
  /**
   * Sends a message. Messages arrive in the order of the calls. If the connection is down, sends nothing and returns
   * false. `reconnected` is called later.
   */
  send(subject: string, token: number, headers: Uint8Array | undefined, data: Uint8Array): boolean;
  /** Stops listening for answers. The caller closes the connection. */
  close(): void;
}

/** Opens a port that reports to `events`. */
export type OpenPublishPort = (events: PublishPortEvents) => PublishPort;
