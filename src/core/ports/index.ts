/**
 * What the core needs from the outside world, as interfaces: `nats/` implements them on a connection, the
 * simulator as a model. Expected outcomes are values; promises of these interfaces never reject.
 */

import type { NatspocError } from '../lib/errors.js';
import type { BucketEntry } from '../protocol/entries.js';
import type { DeadLetter, StreamMessage } from '../protocol/message.js';

/** `unknown`: no answer. `failed`: no retry will help, for example because permissions are missing. */
export type NoAnswer = { kind: 'unknown' } | { kind: 'failed'; error: NatspocError };

/**
 * How a conditional write ended. `conflict`: the revision was not the expected one. `unknown`: no answer, so
 * it may have been applied, or may be yet; `refusal`: the server said why it did not, and that passes. `failed`: no retry will help (not permitted, bucket deleted).
 */
export type WriteOutcome =
  | { kind: 'ok'; revision: number }
  | { kind: 'conflict' }
  | { kind: 'unknown'; refusal?: string | undefined }
  | { kind: 'failed'; error: NatspocError };

/** How a read ended; `missing` is also a key that was never written. */
export type ReadOutcome = { kind: 'found'; entry: BucketEntry } | { kind: 'missing' } | NoAnswer;

/** Receives what a watch sees, in the order of the bucket. */
export interface WatchSink {
  /** Everything that the filter matches, complete: replaces what was known. At the start and after each break. */
  snapshot(entries: BucketEntry[]): void;
  /** Changes since, in revision order. */
  changes(entries: BucketEntry[]): void;
  /** The watch cannot be kept: bucket deleted, not permitted. */
  failed(error: NatspocError): void;
}

/** A running subscription; `stop` ends it for good. */
export interface Watch {
  stop(): void;
}

/** How a write is sent. */
export interface WriteOptions {
  /** After this time its outcome is unknown, milliseconds; at most the bucket's own timeout. */
  timeoutMs: number;
}

/**
 * The KV bucket: reads go to the leader, and one that is cut off from the others answers with what it has; writes are compare-and-set (`expectedRevision` 0: must not exist), and acknowledged only where most replicas have them.
 */
export interface Bucket {
  read(key: string): Promise<ReadOutcome>;
  write(
    key: string,
    value: Uint8Array,
    expectedRevision: number,
    options?: WriteOptions,
  ): Promise<WriteOutcome>;
  /** Writes a deletion marker. Earlier values of the key stay as far back as the bucket keeps them. */
  remove(key: string, expectedRevision: number): Promise<WriteOutcome>;
  /** Follows all keys that start with `prefix` (whole tokens, such as `group.g.`). */
  watch(prefix: string, sink: WatchSink): Watch;
}

/** Sees to it that the layout stands in the bucket. */
export interface LayoutKeeper {
  /** Puts it there where it is missing; `failed`: another one is there. */
  keep(): Promise<{ kind: 'ok' } | NoAnswer>;
}

/**
 * Why a reader has stopped: somebody has deleted it; somebody has changed it, or made another of its name; it heard
 * nothing for too long; or anything else (a gap, a lost server).
 */
export type ReaderFault = 'deleted' | 'foreign' | 'silent' | 'broken';

/** Receives what a reader delivers. */
export interface ReaderSink {
  message(message: StreamMessage): void;
  /** So many messages that waited will never come: the stream has dropped them, and nothing waits any more. */
  gone?(messages: number): void;
  /** The stream has dropped messages before they were delivered. Only from streams that watch for it, see {@link EventStream}. */
  trimmed?(trimmed: Trimmed): void;
  /**
   * The reader has stopped for good. Everything delivered before is in order and complete. The cure is another one
   * from the position in hand; where this one was `deleted`, only after a look at whose the position is.
   *
   * @param reason for people.
   */
  fault(fault: ReaderFault, reason: string): void;
}

/**
 * Messages that the stream dropped (by its limits, a purge, a deletion) before this group handled them: those of one
 * partition among the sequences `from` to `to`, both included.
 */
export interface Trimmed {
  from: number;
  to: number;
  /** No more than this many; exact where the stream has a single partition. */
  atMost: number;
}

/** Up to where everything of a partition was delivered, and when the message at that sequence was stored. */
export interface Coverage {
  sequence: number;
  /** Milliseconds since 1970; undefined: no message was delivered yet. */
  storedMs: number | undefined;
}

/** What bounds a reader's appetite: at most this much delivered and not yet released. */
export interface ReaderWindow {
  messages: number;
  bytes: number;
}

/** An open reader of one partition. */
export interface Reader {
  /** Messages that still wait at the server for this reader, as of the last delivery. */
  readonly pending: number;
  /** Messages that it has received. */
  readonly delivered: number;
  /** How many of those are of its partition, estimated; absent: all of them. */
  readonly lag?: number;
  /** Absent where only the messages of the partition tell how far it has come. */
  readonly coverage?: Coverage;
  /** Nothing was asked for, at some time between the message that is being delivered and the one before it. */
  readonly rested: boolean;
  /**
   * Begins deliveries; nothing comes before. `held`: messages of an earlier reader that are still on the buffer, and
   * are released here.
   */
  start(held: number): void;
  /** Reports that this many messages have left the buffer, so that as many more may be requested. */
  release(messages: number): void;
  /** Tells that handlers are idle, though messages wait on the buffer: what they could do lies behind those. */
  starve(): void;
  /** Changes the window; takes effect with the next request to the server. */
  resize(window: ReaderWindow): void;
  /** Stops deliveries at once and deletes the reader on the server, best effort. */
  close(): void;
}

/** The stream's first and last stored sequence; `last` is 0 for a stream that never held a message. */
export interface StreamBounds {
  first: number;
  last: number;
  /** Sequences between the two that are not there any more. */
  missing: number;
  /** Messages of one subject that the stream keeps; 0: any number. */
  mostPerSubject: number;
  /** When it was created, milliseconds since 1970 on the server's clock; undefined: the server does not say. */
  created?: number | undefined;
}

/** How opening a reader ended. `refused`: a limit stands against it, which may be raised or become free. */
export type OpenOutcome = { kind: 'ok'; reader: Reader } | { kind: 'refused'; reason: string } | NoAnswer;

/** How the deletion of a reader ended. `failed`: no retry will help (not permitted, stream deleted). */
export type RemoveOutcome = { kind: 'ok' } | NoAnswer;

/** Where to read. `name` is the reader's name on the server, deleted first if it exists. */
export interface ReaderOptions {
  name: string;
  /** null: all partitions. */
  partition: number | null;
  startSequence: number;
  window: ReaderWindow;
  /** Limit of messages that are handled at the same time. */
  concurrency: number;
}

/** A reader as the server has it. */
export interface ReaderState {
  /** What another client has changed, as text; undefined: nothing that decides what it delivers. */
  change: string | undefined;
  /** Messages that the server has delivered, to any client. */
  delivered: number;
}

/** The partitioned stream, to read from. */
export interface EventStream {
  /**
   * Present where one reader serves all partitions: such readers tell what the stream has dropped
   * ({@link ReaderSink.trimmed}), and deliver so many subjects that no delivery shows whether another client has changed them.
   */
  readonly shared?: {
    /**
     * Looks at the readers as they are now. One that was changed faults as `foreign`. Resolves with the reason if nothing counts
     * that it delivered to this partition since the last look.
     */
    confirm(partition: number): Promise<string | undefined>;
  };
  open(options: ReaderOptions, sink: ReaderSink): Promise<OpenOutcome>;
  /** Deletes a reader by name; a reader that is not there is a success. */
  remove(name: string): Promise<RemoveOutcome>;
  /** Looks at a reader; `gone`: the server has none of this name; undefined: it does not tell. */
  inspect(name: string, partition: number | null): Promise<ReaderState | 'gone' | undefined>;
  /** `maxAgeMs`: an answer to an earlier question will do that was asked no longer ago. Default 0. */
  bounds(maxAgeMs?: number): Promise<({ kind: 'ok' } & StreamBounds) | NoAnswer>;
  /** When the message of a sequence was stored, by the leader, milliseconds since 1970; undefined: it is gone, or that is not told. */
  storedAt(sequence: number): Promise<number | undefined>;
  /** The first sequence stored at or after a time. */
  sequenceAt(time: Date): Promise<{ kind: 'ok'; sequence: number } | NoAnswer>;
}

/** The answer to "is this member's connection there?" of one member about another. */
export type ProbeOutcome = 'alive' | 'no-responders' | 'timeout' | 'denied';

/** Asks whether a member's connection exists. */
export interface Prober {
  probe(sessionId: string): Promise<ProbeOutcome>;
}

/** What a member is known by while its session lives: the id of the micro service that answers for it. */
export interface MemberIdentity {
  readonly id: string;
  /** False where nothing answers for the id, because it is not permitted: silence then proves nothing. */
  readonly probeable: boolean;
  /** Stops to answer for this id. */
  close(): void;
}

/** Makes identities; a member that was fenced needs another one. */
export interface Identities {
  create(): Promise<MemberIdentity | undefined>;
}

/** What happens to the connection. */
export interface LinkEvents {
  disconnected: () => void;
  reconnected: () => void;
  /** It will not come back: the server no longer takes our credentials, or this process has closed it. */
  ended: (error: NatspocError) => void;
}

/** The state of the connection. */
export interface Link {
  /** Tells until the returned function is called. */
  watch(events: LinkEvents): () => void;
}

/** Where dead letters go. `ok`: stored for certain; `unknown`: store it again, it is kept once. */
export interface DeadLetters {
  store(letter: DeadLetter): Promise<{ kind: 'ok' } | NoAnswer>;
}
