import type { NatspocError } from '../lib/errors.js';

/**
 * A message to publish. Give a `key` or a `partition`. Messages with neither go to the partitions in turn. With `ownSubjects`, give a
 * `subject`.
 */
export interface OutgoingMessage {
  /** The payload; text is sent as UTF-8. */
  readonly data: Uint8Array | string;
  /**
   * Messages of one key go to one partition, in order. The key is sent in the header `Natspoc-Key`. You can also set this header yourself.
   * null: no key.
   */
  readonly key?: string | null | undefined;
  /** The partition to send to, 0 to partitions - 1. It overrides the key's partition. */
  readonly partition?: number | undefined;
  /** Only with `ownSubjects`: the subject to publish to. With `ordered`, the messages of a key stay in order. */
  readonly subject?: string | undefined;
  /** Further headers. Names are ASCII. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Message id (header `Nats-Msg-Id`). Messages with the same id are stored once within the stream's duplicate window. */
  readonly id?: string | undefined;
}

/** When to stop waiting for the confirmation of one message. After that, the message may still be stored. */
export interface PublishLimits {
  /** Stops the wait when it aborts. */
  readonly signal?: AbortSignal | undefined;
  /**
   * The maximum wait in milliseconds, from the call. The publisher's own timeout still applies.
   *
   * @default the publisher's own timeout
   */
  readonly timeoutMs?: number | undefined;
}

/** An event of the tracing channel `natspoc:publish`: one call of `publish`. */
export interface PublishTrace {
  readonly message: OutgoingMessage;
  /** The headers to send. A subscriber may add headers at the start, such as `traceparent`. */
  readonly headers: Record<string, string>;
  /** Set when the message is confirmed. */
  readonly result?: Confirmation;
  /** Set when publishing failed: a `PublishError`. */
  readonly error?: unknown;
}

/** The stream's confirmation that it has stored a message. */
export interface Confirmation {
  /** The partition of the message. With `ownSubjects`, a number that all messages of a key share. */
  readonly partition: number;
  /** The sequence of the message in the stream. */
  readonly sequence: number;
  /** True if the stream already had this message id. `sequence` is then that of the first copy. */
  readonly duplicate: boolean;
}

/** Why a message is not confirmed. `rejected`: it is certainly not stored. `unknown`: no answer arrived in time, so it may be stored. */
export interface PublishFailure {
  readonly outcome: 'rejected' | 'unknown';
  readonly error: NatspocError;
}

/**
 * Receives the outcome of each message, exactly once. `confirmed` takes arguments instead of an object for speed: it can be called several
 * hundred thousand times per second.
 */
export interface PublishObserver {
  /**
   * @param dueMs when the message was due ({@link Publisher.send}), on the publisher's clock
   * @param nowMs when the confirmation arrived, on the publisher's clock
   */
  confirmed?(
    message: OutgoingMessage,
    partition: number,
    sequence: number,
    duplicate: boolean,
    dueMs: number,
    nowMs: number,
  ): void;
  failed?(message: OutgoingMessage, failure: PublishFailure): void;
  /** The connection broke. Messages in flight are sent again when the connection is back. `server`, `reason`: null if unknown. */
  disconnected?(about: { server: string | null; reason: string | null }): void;
  /** The connection is back, `afterMs` after the break. */
  reconnected?(about: { server: string | null; afterMs: number }): void;
}

/** Counters of a publisher since its creation. The counters count messages unless noted otherwise. */
export interface PublishCounters {
  /** Messages that `send` or `publish` has accepted. */
  accepted: number;
  /** Messages confirmed as stored, including `duplicates`. */
  confirmed: number;
  /** Confirmed messages whose id the stream already had. Only one copy is stored. */
  duplicates: number;
  /** Messages refused by the server or before sending. They are certainly not stored. */
  rejected: number;
  /** Messages without an answer in time. They may be stored. */
  unknown: number;
  /** Messages sent more than once. */
  retried: number;
  /** Resent messages that may be stored twice: without a message id, or resent after the duplicate window. */
  maybeTwice: number;
  /** Messages that a retry stored after a later message of the same partition. */
  reordered: number;
  /** Number of times that the connection broke. */
  disconnects: number;
  /** Bytes of payload in confirmed messages, without headers. */
  confirmedBytes: number;
}
