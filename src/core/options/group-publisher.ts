import type { Confirmation, OutgoingMessage, PublishCounters, PublishLimits } from '../publisher/types.js';

/** A publisher to the partitions of a stream, with many messages in flight. `await using` closes it. */
export interface GroupPublisher extends AsyncDisposable {
  /** What happened so far. The object is live. */
  readonly counters: Readonly<PublishCounters>;
  /** Messages that are accepted and not settled. */
  readonly pending: number;
  /** False while the connection is down. */
  readonly connected: boolean;
  /**
   * Publishes one message and waits for its confirmation. Many calls may wait at the same time.
   *
   * @param limits when to stop waiting earlier than the publisher does.
   * @throws PublishError why it is not confirmed: `usage`, `not-confirmed`, `not-permitted`, `unreachable`, or `failed` after
   *   `close`; `stored` says whether it may be in the stream.
   */
  publish(message: OutgoingMessage, limits?: PublishLimits): Promise<Confirmation>;
  /**
   * The fast path: sends a message, whose outcome goes to the `observer`. It always accepts. If the window is full, it returns a
   * promise; a caller that awaits it before the next message uses constant memory.
   *
   * @param dueMs when it should have been sent, on the publisher's clock: latency counts from here. Default: now.
   */
  send(message: OutgoingMessage, dueMs?: number): Promise<void> | undefined;
  /** Resolves when no message is in flight: each is confirmed or has failed. */
  flush(): Promise<void>;
  /** Accepts no more messages, waits for those in flight, and closes the connection if it is not the program's own. */
  close(): Promise<void>;
  /** Gives up messages in flight: they fail now, as never sent or as unknown. */
  abandon(): void;
}
