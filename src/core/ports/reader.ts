import type { StreamMessage } from '../protocol/message.js';

/**
 * Why a reader has stopped. `deleted`: another client deleted it. `foreign`: another client changed or replaced it.
 * `silent`: the server sent neither messages nor heartbeats. `unplaced`: the program's key function failed, so the
 * partition of the next message is unknown. `broken`: any other reason, such as a gap or a lost connection.
 */
export type ReaderFault = 'deleted' | 'foreign' | 'silent' | 'unplaced' | 'broken';

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
  /** The last request has ended, perhaps without all of its messages. No message arrives before more are requested. */
  rests?(): void;
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

/** A period in which a reader may have had no pending request, on this process's clock, in milliseconds. */
export interface Rest {
  /** -Infinity: the period began before the reader started. */
  from: number;
  until: number;
  /** True: a request was always pending. But the reported number of waiting messages may include dropped ones. */
  isDoubtful?: boolean;
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
  /** How many messages fit into the window. Absent if the size of messages does not matter. */
  readonly capacity?: number;
  /** Takes over the number of waiting messages that the server has just counted. */
  recounted?(state: ReaderState): void;
  /** Tries to extend `coverage` while no message arrives; absent if `coverage` is. */
  cover?(): Promise<void>;
  /** Stops deliveries immediately, and tries to delete the reader on the server. */
  close(): void;
}

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
