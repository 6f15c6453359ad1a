import type { NoAnswer } from './no-answer.js';
import type { Reader, ReaderOptions, ReaderSink, ReaderState } from './reader.js';

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
