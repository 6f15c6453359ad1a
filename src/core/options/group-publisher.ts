import type { Confirmation, OutgoingMessage, PublishCounters, PublishLimits } from '../publisher/types.js';

/** A publisher to the partitions of a stream, with many messages in flight. `await using` closes it. */
export interface GroupPublisher extends AsyncDisposable {
  /** Counters since the start, always up to date. */
  readonly counters: Readonly<PublishCounters>;
  /** Number of messages that are accepted, and neither confirmed nor failed. */
  readonly pending: number;
  /** False while the connection is down. */
  readonly connected: boolean;
  /**
   * Publishes one message and waits for its confirmation. Many calls may wait at the same time.
   *
   * @param limits when to stop waiting earlier than the publisher does.
   * @throws PublishError if the message is not confirmed: `usage`, `not-confirmed`, `not-permitted`, `unreachable`, or `failed`
   *   after `close`. The error's `stored` says whether the message may be in the stream.
   */
  publish(message: OutgoingMessage, limits?: PublishLimits): Promise<Confirmation>;
  /**
   * The fast path: sends a message, whose outcome goes to the `observer`. Always accepts the message. If the window is full,
   * returns a promise; a caller that awaits the promise before the next message uses constant memory.
   *
   * @param dueMs when the message was due, on the publisher's clock; latency counts from then. Default: now.
   */
  send(message: OutgoingMessage, dueMs?: number): Promise<void> | undefined;
  /** Resolves when no message is in flight: each is confirmed or has failed. */
  flush(): Promise<void>;
  /** Accepts no more messages, waits for those in flight, and closes the connection unless it is the program's own. */
  close(): Promise<void>;
  /** Gives up the messages in flight. Each fails at once, as never sent or with an unknown outcome. */
  abandon(): void;
}
