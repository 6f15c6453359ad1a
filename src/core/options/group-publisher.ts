import type { Confirmation, OutgoingMessage, PublishCounters, PublishLimits } from '../publisher/types.js';

/** A publisher to the partitions of a stream. Many messages can be in flight. `await using` closes the publisher. */
export interface GroupPublisher extends AsyncDisposable {
  /** Counters since the start, always up to date. */
  readonly counters: Readonly<PublishCounters>;
  /** Number of accepted messages that are not yet confirmed and have not failed. */
  readonly pending: number;
  /** False while the connection is down. */
  readonly connected: boolean;
  /**
   * Publishes one message and waits for its confirmation. Many calls can wait at the same time.
   *
   * @param limits when this call stops waiting, if earlier than the publisher's own timeout.
   * @throws PublishError if the message is not confirmed: `usage`, `not-confirmed`, `not-permitted`, `unreachable`, or
   *   `failed` after `close`. Its field `stored` shows whether the message may be in the stream.
   */
  publish(message: OutgoingMessage, limits?: PublishLimits): Promise<Confirmation>;
  /**
   * The fast path: sends a message, and reports its outcome to the `observer`. Always accepts the message. If the window
   * is full, returns a promise. Await it before the next message, so that memory stays bounded.
   *
   * @param dueMs when the message was due, on the publisher's clock. The observer can compute the latency from it.
   *   Default: now.
   */
  send(message: OutgoingMessage, dueMs?: number): Promise<void> | undefined;
  /** Resolves when each accepted message is confirmed or has failed. */
  flush(): Promise<void>;
  /**
   * Accepts no more messages and waits for the outcomes of all accepted messages. Then closes the connection, unless it
   * is your own.
   */
  close(): Promise<void>;
  /**
   * Stops waiting for confirmations. Each unconfirmed message fails at once: as `unknown` if it may be stored, otherwise
   * as `rejected`.
   */
  abandon(): void;
}
