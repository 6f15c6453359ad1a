import type { NatspocError } from '../lib/errors.js';
import type { BucketEntry } from '../protocol/entries.js';
import type { NoAnswer } from './no-answer.js';

/**
 * The outcome of a conditional write. `conflict`: the entry has another revision. `unknown`: the write may have been
 * applied, or may be applied later. `failed`: no retry will help (not permitted, bucket deleted).
 */
export type WriteOutcome = { kind: 'ok'; revision: number } | { kind: 'conflict' } | NoAnswer;

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
