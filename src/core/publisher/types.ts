import type { NatspocError } from '../lib/errors.js';

/**
 * A message to publish. Give a `key` or a `partition`; messages with neither go to the partitions in turn. With `ownSubjects`,
 * give a `subject`.
 */
export interface OutgoingMessage {
  /** The payload; text is sent as UTF-8. */
  readonly data: Uint8Array | string;
  /**
   * Messages of one key go to one partition, in order. The key is sent in the header `Natspoc-Key`; a key given in that
   * header counts as well. null: no key.
   */
  readonly key?: string | null;
  /** The partition to send to, 0 to partitions - 1; overrides the partition that the key selects. */
  readonly partition?: number;
  /**
   * Only with `ownSubjects`: the subject to publish to. The key, if any, is sent in the header `Natspoc-Key`. With
   * `ordered`, the messages of a key stay in order.
   */
  readonly subject?: string;
  /** Further headers, as values by name. Names are ASCII. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Message id (header `Nats-Msg-Id`): within the stream's duplicate window, messages with the same id are stored once. */
  readonly id?: string;
}

/** When to stop waiting for the confirmation of one message. A message that is given up may still be stored. */
export interface PublishLimits {
  /** When the signal aborts, the message is given up. */
  readonly signal?: AbortSignal | undefined;
  /**
   * The time in milliseconds after which the message is given up; at most the publisher's own timeout.
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
  /** The partition of the message. With `ownSubjects`: a number that is the same for all messages of a key. */
  readonly partition: number;
  /** The sequence of the message in the stream. */
  readonly sequence: number;
  /** True if the stream already had this message id. If `duplicate` is true, `sequence` is the sequence of the first copy. */
  readonly duplicate: boolean;
}

/**
 * Why a message is not confirmed. `rejected`: the message is certainly not stored. `unknown`: no answer arrived in time, so
 * the message may be stored.
 */
export interface PublishFailure {
  readonly outcome: 'rejected' | 'unknown';
  readonly error: NatspocError;
}

/**
 * Receives the outcome of each message, exactly once. `confirmed` takes arguments instead of an object, because at full speed it
 * is called several hundred thousand times per second.
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
  /** Messages that were confirmed although the stream already had the message id, so only one copy is stored. */
  duplicates: number;
  /** Messages that were refused by the server or before sending, so they are certainly not stored. */
  rejected: number;
  /** Messages without an answer in time, so they may be stored. */
  unknown: number;
  /** Messages sent more than once, because an answer was lost or the server refused temporarily. */
  retried: number;
  /**
   * Messages among `retried` that may be stored twice, because they have no message id, or were resent after the duplicate
   * window.
   */
  maybeTwice: number;
  /** Messages stored out of order, because a retry stored them after a later message of the same partition. */
  reordered: number;
  /** Number of times that the connection broke. */
  disconnects: number;
  /** Bytes of payload in confirmed messages, without headers. */
  confirmedBytes: number;
}
