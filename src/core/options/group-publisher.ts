import type { Confirmation, OutgoingMessage, PublishCounters, PublishLimits } from '../publisher/types.js';

/** A publisher to the partitions of a stream, with many messages in flight. `await using` closes the publisher. */
export interface GroupPublisher extends AsyncDisposable {
  /** Counters since the start, always up to date. */
  readonly counters: Readonly<PublishCounters>;
  /** Number of accepted messages that are not yet confirmed and have not failed. */
  readonly pending: number;
  /** False while the connection is down. */
  readonly connected: boolean;
  /**
   * Publishes one message and waits for its confirmation. Many calls may wait at the same time.
   *
   * @param limits when this call stops waiting, if earlier than the publisher's own timeout.
   * @throws PublishError if the message is not confirmed: `usage`, `not-confirmed`, `not-permitted`, `unreachable`, or
   *   `failed` after `close`. The field `stored` of the error shows whether the message may be in the stream.
   */
  publish(message: OutgoingMessage, limits?: PublishLimits): Promise<Confirmation>;
  /**
   * The fast path: sends a message, and reports its outcome to the `observer` instead of a promise. Always accepts the message. If the
   * window is full, returns a promise; a caller that awaits this promise before the next message uses constant memory.
   *
   * @param dueMs when the message was due, on the publisher's clock. The observer receives `dueMs`, and can compute the latency from it.
   *   Default: now.
   */
  send(message: OutgoingMessage, dueMs?: number): Promise<void> | undefined;
  /** Resolves when each accepted message is confirmed or has failed. */
  flush(): Promise<void>;
  /**
   * Accepts no more messages, waits for the outcomes of all accepted messages, and closes the connection, unless the
   * connection is the program's own.
   */
  close(): Promise<void>;
  /**
   * Gives up all unconfirmed messages. Each message fails at once: as `unknown` if it may be stored, otherwise as
   * `rejected`.
   */
  abandon(): void;
}
