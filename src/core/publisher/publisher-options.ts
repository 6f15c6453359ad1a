import type { Clock } from '../lib/clock.js';
import type { OpenPublishPort } from '../ports/publishing.js';
import type { Layout } from '../protocol/layout.js';
import type { PublishObserver } from './types.js';

/** The options of a publisher. */
export interface PublisherOptions {
  layout?: Pick<Layout, 'prefix' | 'partitions'> | undefined;
  /** The subjects that the stream listens to. Needed for a stream without a layout: there, each message has a `subject`. */
  subjects?: readonly string[] | undefined;
  /** Opens the port to the connection. */
  openPort: OpenPublishPort;
  /**
   * A message fails if it is not confirmed within this time, retries included. The time in which it waits for its turn and the
   * stream confirms others does not count. Default 30,000. A cluster that has lost a server refuses messages for 4 to 9 s, until it has new
   * leaders.
   */
  timeoutMs?: number;
  /** Maximum number of accepted, unconfirmed messages in the window. Default 4,000. */
  maxPendingMessages?: number;
  /** Maximum number of bytes in the window, in headers and payloads. Default 64 MiB. */
  maxPendingBytes?: number;
  /** Gives each message without an id a unique id. Then a retry is not stored twice. */
  dedupe?: boolean;
  /** How long the stream detects duplicate ids. A message that is resent later can be stored twice. Default: forever. */
  duplicateWindowMs?: number;
  /**
   * Sends the next message of a partition only after the previous message is confirmed or has failed. Then no fault of the server changes
   * the order. Set `dedupe` too; otherwise a retry can be stored twice. Default false: the order is kept unless a cluster's leader dies and
   * loses messages.
   */
  ordered?: boolean;
  observer?: PublishObserver;
  /** Called when the observer throws or rejects. Default: the error ends the process. */
  observerFailed?: (error: unknown) => void;
  clock?: Clock;
}
