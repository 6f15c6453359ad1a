/**
 * Interfaces to the outside world. `nats/` implements them with a NATS connection, and the simulator with a model. Expected outcomes are
 * returned as values, so promises of these interfaces never reject.
 */

import type { NatspocError } from '../lib/errors.js';
import type { BucketEntry } from '../protocol/entries.js';
import type { DeadLetter, StreamMessage } from '../protocol/message.js';

/** `unknown`: no answer. `failed`: no retry will help, for example because permissions are missing. */
export type NoAnswer = { kind: 'unknown' } | { kind: 'failed'; error: NatspocError };

/**
 * The outcome of a conditional write. `conflict`: the revision was not the expected revision. `unknown`: no answer, so the write may have
 * been applied, or may be applied later. A temporary refusal is `unknown`, too, with the reason `refusal`. `failed`: no retry will help
 * (not permitted, bucket deleted).
 */
export type WriteOutcome =
  | { kind: 'ok'; revision: number }
  | { kind: 'conflict' }
  | { kind: 'unknown'; refusal?: string | undefined }
  | { kind: 'failed'; error: NatspocError };

/** The outcome of a read; `missing` includes keys that were never written. */
export type ReadOutcome = { kind: 'found'; entry: BucketEntry } | { kind: 'missing' } | NoAnswer;

/** Receives the entries of a watch, in the order in which the bucket stored them. */
export interface WatchSink {
  /**
   * All entries that match the filter. The snapshot replaces all entries received earlier. Called at the start and after each break of the
   * connection.
   */
  snapshot(entries: BucketEntry[]): void;
  /** Later changes, in revision order. */
  changes(entries: BucketEntry[]): void;
  /** The watch has ended, for example because the bucket was deleted. */
  failed(error: NatspocError): void;
}

/** A running subscription; `stop` ends it. */
export interface Watch {
  stop(): void;
}

/** How a write is sent. */
export interface WriteOptions {
  /** If there is no answer within this time, in milliseconds, the outcome is unknown. The bucket's own timeout also applies. */
  timeoutMs: number;
}

/**
 * The KV bucket. Reads go to the leader, which may be cut off from the other replicas and answer with old entries. Writes are
 * compare-and-set (`expectedRevision` 0 means that the key must not exist), and are acknowledged only when a quorum has them.
 */
export interface Bucket {
  read(key: string): Promise<ReadOutcome>;
  write(
    key: string,
    value: Uint8Array,
    expectedRevision: number,
    options?: WriteOptions,
  ): Promise<WriteOutcome>;
  /** Writes a deletion marker. The history of the key stays in the bucket. */
  remove(key: string, expectedRevision: number): Promise<WriteOutcome>;
  /** Follows all keys that start with `prefix` (whole tokens, such as `group.g.`). */
  watch(prefix: string, sink: WatchSink): Watch;
}

/** Makes sure that the bucket contains the layout. */
export interface LayoutKeeper {
  /** Writes the layout if it is missing. `failed`: the bucket has another layout. */
  keep(): Promise<{ kind: 'ok' } | NoAnswer>;
}

/**
 * Why a reader has stopped. `deleted`: another client deleted the reader. `foreign`: another client changed the reader, or created another
 * reader of the same name. `silent`: the server sent neither messages nor heartbeats. `broken`: any other reason, such as a gap or a lost
 * connection.
 */
export type ReaderFault = 'deleted' | 'foreign' | 'silent' | 'broken';

/** Receives the deliveries of a reader. */
export interface ReaderSink {
  message(message: StreamMessage): void;
  /** The stream dropped all messages that waited for the reader; `messages` is their number. */
  gone?(messages: number): void;
  /** The stream dropped messages before they were delivered. Reported by shared readers only. */
  trimmed?(trimmed: Trimmed): void;
  /**
   * The reader has ended. All messages that the reader delivered are in order and complete. To continue, open another reader that starts
   * after the last received message. If the fault is `deleted`, first check whether this member still owns the position.
   *
   * @param reason a text for people.
   */
  fault(fault: ReaderFault, reason: string): void;
}

/**
 * Messages of one partition that the stream dropped before the group handled them: by its limits, a purge or a deletion. Their sequences
 * are between `from` and `to`, both included.
 */
export interface Trimmed {
  from: number;
  to: number;
  /** Upper bound on the number of dropped messages; exact if the stream has a single partition. */
  atMost: number;
}

/** The sequence up to which all messages of a partition were delivered, and when the message with that sequence was stored. */
export interface Coverage {
  sequence: number;
  /** Milliseconds since 1970; undefined: no message has been delivered yet. */
  storedMs: number | undefined;
}

/** Limits on delivered messages that have not been released yet. */
export interface ReaderWindow {
  messages: number;
  bytes: number;
}

/**
 * A period in which a reader may have had no pending request, on this process's clock, in milliseconds. If the period is empty, a request
 * was always pending, but the reported number of waiting messages may include dropped messages.
 */
export interface Rest {
  /** -Infinity: the period began before the reader started. */
  from: number;
  until: number;
}

/** An open reader of one partition. */
export interface Reader {
  /** Messages that wait on the server for this reader, as of the last delivery. */
  readonly pending: number;
  /** Number of messages that the reader has received. */
  readonly delivered: number;
  /**
   * Estimated number of waiting messages of the partition. Absent if all waiting messages belong to the partition, because `pending` is
   * then exact.
   */
  readonly lag?: number;
  /** Absent if only the messages of the partition show how far the reader has come. */
  readonly coverage?: Coverage;
  /** The last {@link Rest} between the previous and the current delivery; undefined if there was none. */
  readonly rested: Rest | undefined;
  /**
   * Starts deliveries. `held`: number of messages in the buffer from an earlier reader. Later calls of this reader's `release` also release
   * the `held` messages.
   */
  start(held: number): void;
  /** Releases window space: this number of messages has left the buffer. */
  release(messages: number): void;
  /**
   * Requests more messages although the buffer is not empty: handlers are idle, and all buffered messages wait for running calls with the
   * same keys.
   */
  starve(): void;
  /** Changes the window from the next request on. */
  resize(window: ReaderWindow): void;
  /** True while the reader requests no messages, for example because its window is full. Then no delivery shows the waiting messages. */
  readonly isResting?: boolean;
  /** Takes over the number of waiting messages that the server has just counted. */
  recounted?(state: ReaderState): void;
  /** Tries to extend `coverage` while no message arrives; absent if `coverage` is. */
  cover?(): Promise<void>;
  /** Stops deliveries immediately, and tries to delete the reader on the server. */
  close(): void;
}

/** The stream's first and last stored sequence; `last` is 0 for a stream that never held a message. */
export interface StreamBounds {
  first: number;
  last: number;
  /** Number of sequences from `first` to `last` that have no message. */
  missing: number;
  /** The stream's limit on messages per subject; 0 means no limit. */
  mostPerSubject: number;
  /** When the stream was created, in milliseconds since 1970 on the server's clock; undefined if unknown. */
  created?: number | undefined;
  /** When the last message was stored, in milliseconds since 1970 on the server's clock; undefined if unknown. */
  lastStoredMs?: number | undefined;
  /** The age at which messages are dropped, in milliseconds; absent without such a limit. */
  maxAgeMs?: number | undefined;
  /** The server that leads the stream; undefined for a server without a cluster. */
  leader?: string | undefined;
}

/** The outcome of opening a reader. `refused`: a limit of the server does not allow another reader now, but perhaps later. */
export type OpenOutcome = { kind: 'ok'; reader: Reader } | { kind: 'refused'; reason: string } | NoAnswer;

/** The outcome of deleting a reader. `failed`: no retry will help (not permitted, stream deleted). */
export type RemoveOutcome = { kind: 'ok' } | NoAnswer;

/** Options of a reader. An existing reader of this `name` is deleted first. */
export interface ReaderOptions {
  name: string;
  /** null: all partitions. */
  partition: number | null;
  startSequence: number;
  window: ReaderWindow;
  /** Maximum number of messages that are handled in parallel, or in one batch. */
  concurrency: number;
  /** For a shared reader: true for a message that the reader does not deliver, because the group handled it before a resize. */
  isHandled?: ((message: StreamMessage) => boolean) | undefined;
  /**
   * The last sequence that the partition counts as handled. It may be higher than `startSequence`, if an earlier shared reader advanced the
   * position.
   */
  handledUpTo?: number | undefined;
}

/** The state of a reader on the server. */
export interface ReaderState {
  /** A change by another client that affects deliveries, as text; undefined if there is none. */
  change: string | undefined;
  /** Messages that the server has delivered to any client. */
  delivered: number;
  /** Messages that wait for the reader at the server. */
  waiting: number;
}

/**
 * Whether received messages may be committed. `doubt`: the reason why messages received since the last commit must not be
 * committed. `unknown`: the server has not answered.
 */
export type Confirmation = 'confirmed' | 'unknown' | { doubt: string };

/** The partitioned stream for reading. */
export interface EventStream {
  /**
   * Present if one reader serves all partitions. A shared reader reports dropped messages ({@link ReaderSink.trimmed}). The messages of a
   * shared reader have many subjects, so a delivery does not reveal that another client has changed the reader.
   */
  readonly shared?: {
    /**
     * Checks the readers before a commit of the messages that they delivered. A reader that another client has changed reports the fault
     * `foreign`. `isUrgent`: true if a drain waits for the check; default false.
     */
    confirm(partition: number, isUrgent?: boolean): Promise<Confirmation>;
    /**
     * Announces that partitions will be opened soon, and will start after about this sequence. The shared reader may be opened immediately
     * for these partitions.
     */
    prepare(after: number): void;
  };
  open(options: ReaderOptions, sink: ReaderSink): Promise<OpenOutcome>;
  /** Deletes a reader by name; a missing reader is a success. */
  remove(name: string): Promise<RemoveOutcome>;
  /** The state of a reader; `gone`: there is no reader of this name; `denied`: not permitted; undefined: unknown. */
  inspect(name: string, partition: number | null): Promise<ReaderState | 'gone' | 'denied' | undefined>;
  /**
   * The bounds of the stream. If `since` is given, several callers may share one request after a short wait. A shared answer belongs to a
   * request that was sent at `since` or later, on this process's clock. Without `since`, a new request is sent at once.
   */
  bounds(since?: number): Promise<({ kind: 'ok' } & StreamBounds) | NoAnswer>;
  /** When the message of a sequence was stored, in milliseconds since 1970; undefined if the message is gone, or if the time is unknown. */
  storedAt(sequence: number): Promise<number | undefined>;
  /** The sequence of the newest stored message of a partition, or of all partitions (null); 0: there is none; undefined: unknown. */
  newest(partition: number | null): Promise<number | undefined>;
  /** The first sequence stored at or after a time. */
  sequenceAt(time: Date): Promise<{ kind: 'ok'; sequence: number } | NoAnswer>;
}

/** The answer to a probe of one member by another. */
export type ProbeOutcome = 'alive' | 'no-responders' | 'timeout' | 'denied';

/** Probes whether a member's connection exists. */
export interface Prober {
  probe(sessionId: string): Promise<ProbeOutcome>;
}

/** The identity of a member: the id of its micro service, which answers probes. */
export interface MemberIdentity {
  readonly id: string;
  /**
   * False if permissions forbid the member to answer probes. If a member is not permitted to answer, a missing answer does not prove that
   * the member is dead.
   */
  readonly probeable: boolean;
  /** Stops answering for this id. */
  close(): void;
}

/** Creates identities of members. A fenced member needs a new identity. */
export interface Identities {
  create(): Promise<MemberIdentity | undefined>;
}

/** A connection that broke. */
export interface Break {
  /** Host and port; null if unknown. */
  server: string | null;
  /** The reason as text for people; null if unknown. */
  reason: string | null;
}

/** Events of the connection. */
export interface LinkEvents {
  disconnected: (about?: Break) => void;
  /** `server`: the server to which the process is now connected. */
  reconnected: (server?: string | null) => void;
  /** The connection has ended: the server no longer accepts the credentials, or this process closed it. */
  ended: (error: NatspocError) => void;
}

/** The state of the connection. */
export interface Link {
  /** Reports events until the returned function is called. */
  watch(events: LinkEvents): () => void;
}

/** Stores dead letters. After `unknown`, the letter is stored again; the stream keeps only one copy. */
export interface DeadLetters {
  store(letter: DeadLetter): Promise<{ kind: 'ok' } | NoAnswer>;
}
