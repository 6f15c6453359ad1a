/**
 * Interfaces to the outside world. `nats/` implements them with a NATS connection, and the simulator with a model.
 * Promises of these interfaces never reject. Expected failures are returned as values.
 */

import type { NatspocError } from '../lib/errors.js';
import type { BucketEntry } from '../protocol/entries.js';
import type { DeadLetter, StreamMessage } from '../protocol/message.js';

/**
 * `unknown`: no answer. `closed`: the connection is closed, so there will be none. `failed`: no retry will help, for
 * example because permissions are missing.
 */
export type NoAnswer =
  | { kind: 'unknown'; closed?: NatspocError | undefined }
  | { kind: 'failed'; error: NatspocError };

/**
 * The outcome of a conditional write. `conflict`: the entry has another revision. `unknown`: the write may have been
 * applied, or may be applied later. `refusal`: the server refused it for now. `unheard`: no server received it. `failed`:
 * no retry will help (not permitted, bucket deleted).
 */
export type WriteOutcome =
  | { kind: 'ok'; revision: number }
  | { kind: 'conflict' }
  | { kind: 'unknown'; refusal?: string | undefined; unheard?: string | undefined }
  | { kind: 'failed'; error: NatspocError };

/** The outcome of a read. */
export type ReadOutcome = { kind: 'found'; entry: BucketEntry } | { kind: 'missing' } | NoAnswer;

/** Receives the entries of a watch, in the order in which the bucket stored them. */
export interface WatchSink {
  /**
   * All entries that match the filter. They replace all earlier entries. Called at the start and after each break of the
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
  /** After this time without an answer, in milliseconds, the outcome is unknown. The bucket's own timeout also applies. */
  timeoutMs: number;
}

/**
 * The KV bucket. Reads go to the leader. A leader that is cut off from the other replicas may answer with old entries.
 * Writes are compare-and-set, and are acknowledged only when a quorum has them. `expectedRevision` 0: the key must not
 * exist.
 */
export interface Bucket {
  read(key: string): Promise<ReadOutcome>;
  write(
    key: string,
    value: Uint8Array,
    expectedRevision: number,
    options?: WriteOptions,
  ): Promise<WriteOutcome>;
  /** Writes a deletion marker. The key's history stays in the bucket. */
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
 * Why a reader has stopped. `deleted`: another client deleted it. `foreign`: another client changed or replaced it.
 * `silent`: the server sent neither messages nor heartbeats. `broken`: any other reason, such as a gap or a lost
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
   * The reader has ended. Its delivered messages are in order and complete. To continue, open another reader after the
   * last received message. If the fault is `deleted`, first check whether this member still owns the position.
   *
   * @param reason a text for people.
   */
  fault(fault: ReaderFault, reason: string): void;
}

/**
 * Messages of one partition that the stream dropped before the group handled them: by its limits, a purge or a deletion.
 * `from` and `to` are inclusive.
 */
export interface Trimmed {
  from: number;
  to: number;
  /** At most this number of messages were dropped. Exact if the stream has a single partition. */
  atMost: number;
}

/** How far a reader has delivered all messages of a partition. `storedMs`: when the message at `sequence` was stored. */
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
 * A period in which a reader may have had no pending request, on this process's clock, in milliseconds. In an empty
 * period, a request was always pending. But then the reported number of waiting messages may include dropped ones.
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
  /** Estimated number of the partition's waiting messages. Absent if `pending` counts only this partition. */
  readonly lag?: number;
  /** Absent if the reader delivers only this partition. */
  readonly coverage?: Coverage;
  /** The last {@link Rest} between the previous and the current delivery; undefined if there was none. */
  readonly rested: Rest | undefined;
  /**
   * Starts deliveries. `held`: number of buffered messages from an earlier reader. This reader's `release` releases them
   * too.
   */
  start(held: number): void;
  /** Releases window space: this number of messages has left the buffer. */
  release(messages: number): void;
  /** Requests more messages: handlers are idle, but all buffered messages wait for running calls with the same keys. */
  starve(): void;
  resize(window: ReaderWindow): void;
  /** True while the reader requests no messages, for example because its window is full. */
  readonly isResting?: boolean;
  /** Takes over the number of waiting messages that the server has just counted. */
  recounted?(state: ReaderState): void;
  /** Tries to extend `coverage` while no message arrives; absent if `coverage` is. */
  cover?(): Promise<void>;
  /** Stops deliveries immediately, and tries to delete the reader on the server. */
  close(): void;
}

/** The bounds of a stream. `last` is 0 if it never held a message. */
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
  /** For a shared reader: true if the group handled the message before a resize. The reader does not deliver it again. */
  isHandled?: ((message: StreamMessage) => boolean) | undefined;
  /**
   * The partition's last handled sequence. It can be higher than `startSequence`, if an earlier shared reader advanced
   * the position.
   */
  handledUpTo?: number | undefined;
}

/** The state of a reader on the server. */
export interface ReaderState {
  /** Describes a change by another client that affects deliveries, if any. */
  change: string | undefined;
  /** Messages that the server has delivered to any client. */
  delivered: number;
  /** Messages that wait for the reader at the server. */
  waiting: number;
}

/**
 * Whether received messages may be committed. `doubt`: why messages received since the last commit must not be
 * committed. `unknown`: the server has not answered.
 */
export type Confirmation = 'confirmed' | 'unknown' | { doubt: string };

/** The partitioned stream for reading. */
export interface EventStream {
  /**
   * Present if one reader serves all partitions. A shared reader reports dropped messages ({@link ReaderSink.trimmed}).
   * Its messages have many subjects, so a delivery does not show whether another client has changed the reader.
   */
  readonly shared?: {
    /**
     * Checks the readers before their messages are committed. If another client has changed a reader, it reports the
     * fault `foreign`. `isUrgent`: true if a drain waits for the check; default false.
     */
    confirm(partition: number, isUrgent?: boolean): Promise<Confirmation>;
    /** Announces that partitions will soon start after about this sequence. The shared reader can be opened at once. */
    prepare(after: number): void;
  };
  open(options: ReaderOptions, sink: ReaderSink): Promise<OpenOutcome>;
  /** Deletes a reader by name; a missing reader is a success. */
  remove(name: string): Promise<RemoveOutcome>;
  /** The state of a reader; `gone`: there is no reader of this name; `denied`: not permitted; undefined: unknown. */
  inspect(name: string, partition: number | null): Promise<ReaderState | 'gone' | 'denied' | undefined>;
  /**
   * The bounds of the stream. Without `since`, a new request is sent at once. With `since`, callers can share a request
   * after a short wait. That request was sent at `since` or later, on this process's clock.
   */
  bounds(since?: number): Promise<({ kind: 'ok' } & StreamBounds) | NoAnswer>;
  /** When a message was stored, in milliseconds since 1970; undefined if unknown. */
  storedAt(sequence: number): Promise<number | undefined>;
  /** The newest stored sequence of a partition, or of all partitions (null). 0: there is none. undefined: unknown. */
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
   * False if permissions forbid the member to answer probes. A missing answer then does not prove that the member is
   * dead.
   */
  readonly probeable: boolean;
  close(): void;
}

/** Creates identities. A fenced member needs a new one. */
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

/** Stores dead letters. After `unknown`, the letter is stored again. The stream keeps only one copy. */
export interface DeadLetters {
  store(letter: DeadLetter): Promise<{ kind: 'ok' } | NoAnswer>;
}
