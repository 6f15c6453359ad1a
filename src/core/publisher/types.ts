import type { NatspocError } from '../lib/errors.js';

/** A message to publish. Give a `key`, or a `partition`, or neither: then partitions take turns. */
export interface OutgoingMessage {
  /** The payload; text is sent as UTF-8. */
  readonly data: Uint8Array | string;
  /**
   * Messages of one key go to one partition, in order. Travels in the header `Natspoc-Key`; one that stands there already
   * is the key. null: none.
   */
  readonly key?: string | null;
  /** Sends to this partition whatever the key says, 0 to partitions - 1. */
  readonly partition?: number;
  /** Further headers, name to value; ASCII names. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Message id (header `Nats-Msg-Id`): within the stream's duplicate window the same id is stored once. */
  readonly id?: string;
}

/** The stream's confirmation that it has stored a message. */
export interface Confirmation {
  /** Where the message went. */
  readonly partition: number;
  /** Its sequence in the stream. */
  readonly sequence: number;
  /** True if the stream already held this message id: `sequence` is then that of the first copy. */
  readonly duplicate: boolean;
}

/**
 * Why a message is not confirmed. `rejected`: certainly not stored. `unknown`: nobody answered in time, so it
 * may be stored.
 */
export interface PublishFailure {
  readonly outcome: 'rejected' | 'unknown';
  readonly error: NatspocError;
}

/**
 * Told how each message ended, exactly once a message. Arguments rather than objects: at full speed these
 * are called a few hundred thousand times a second.
 */
export interface PublishObserver {
  /**
   * @param dueMs when the message was due ({@link Publisher.send}), on the publisher's clock
   * @param nowMs when the confirmation arrived, on the same clock
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
}

/** Counters of a publisher since its creation; messages unless the name says bytes. */
export interface PublishCounters {
  /** Accepted by `send` or `publish`. */
  accepted: number;
  /** Confirmed as stored, `duplicates` among them. */
  confirmed: number;
  /** Confirmed, but the stream already held the message id: one copy is stored. */
  duplicates: number;
  /** Refused by the server or before sending: certainly not stored. */
  rejected: number;
  /** Not answered in time: may be stored or not. */
  unknown: number;
  /** Sent more than once, because an answer was lost or the server could not take them at that moment. */
  retried: number;
  /** Of `retried`: those that may be stored twice, because they carry no message id, or came later than the stream notices it. */
  maybeTwice: number;
  /** Stored behind a later message of the same partition, by a retry after the server refused one in the middle. */
  reordered: number;
  /** Payload of the confirmed ones, without headers. */
  confirmedBytes: number;
}
