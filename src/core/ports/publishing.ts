import type { NatspocError } from '../lib/errors.js';
import type { Break } from './index.js';

/**
 * The publisher's interface to a connection. The publisher sends each message with a token, and receives the outcome with the same
 * token. The publisher manages windows, retries and deadlines. Only the implementation of this interface uses NATS.
 */

/** Receives the events of the connection. */
export interface PublishPortEvents {
  /** The stream has stored the message with this token, at this sequence. */
  confirmed(token: number, sequence: number, duplicate: boolean): void;
  /** The message with this token is not stored. */
  rejected(token: number, reason: Rejection): void;
  /** Another stream has answered; the intended stream may still answer. */
  elsewhere(token: number, reason: Rejection): void;
  /** Publishing to this subject is not permitted. The server dropped the messages to this subject without an answer. */
  denied(subject: string): void;
  /** The connection is down: messages without an answer may be stored. */
  disconnected(about?: Break): void;
  /** The connection is up again; earlier messages will not be answered any more. */
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
   * Sends a message. Returns false if the connection is down. While the connection is down, nothing is sent, and `reconnected`
   * will be called later. Messages arrive in the order of the calls.
   */
  send(subject: string, token: number, headers: Uint8Array | undefined, data: Uint8Array): boolean;
  /** Stops listening for answers. The caller closes the connection. */
  close(): void;
}

/** Opens a port that reports to `events`. */
export type OpenPublishPort = (events: PublishPortEvents) => PublishPort;
