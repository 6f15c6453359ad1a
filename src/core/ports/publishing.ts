import type { NatspocError } from '../lib/errors.js';

/**
 * What the publisher needs of a connection: to hand over messages, each with a token, and to hear of tokens.
 * Everything about windows, retries and deadlines is above this line; everything about NATS below.
 */

/** Receives what happens on the connection. */
export interface PublishPortEvents {
  /** The stream has stored the message with this token, at this sequence. */
  confirmed(token: number, sequence: number, duplicate: boolean): void;
  /** The message with this token is not stored; `retryable` where the server may take it a moment later. */
  rejected(token: number, reason: Rejection): void;
  /** Another stream than the one that was meant has answered, which says nothing about it: that one still may. */
  elsewhere(token: number, reason: Rejection): void;
  /** The server forbids to publish to this subject: what was sent there was dropped, without an answer. */
  denied(subject: string): void;
  /** It is unknown whether messages that were sent and not answered are stored. */
  disconnected(): void;
  /** A connection is up again; what was sent on the one before will not be answered any more. */
  reconnected(): void;
  /** The connection will not come back, or cannot be used for publishing at all. */
  closed(error: NatspocError): void;
}

/** A refusal in the server's words. */
export interface Rejection {
  /** JetStream's error code, 0 where there is none. */
  readonly code: number;
  readonly description: string;
  readonly retryable: boolean;
}

/** One direction of a connection, opened for one publisher. */
export interface PublishPort {
  /** Bytes of headers and payload that the server takes in one message. */
  readonly maxPayload: number;
  /**
   * Sends, or returns false when the connection is down: nothing was sent then, and `reconnected` will be
   * called. Messages arrive in the order of the calls.
   */
  send(subject: string, token: number, headers: Uint8Array | undefined, data: Uint8Array): boolean;
  /** Stops listening for answers. The connection stays open: it belongs to the caller. */
  close(): void;
}

/** Opens a port that reports to `events`. */
export type OpenPublishPort = (events: PublishPortEvents) => PublishPort;
