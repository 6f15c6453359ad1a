import type { Logger } from '../member/partition/logger.js';
import type { PublishObserver } from '../publisher/types.js';
import type { Connecting, StreamOptions } from './connecting.js';

/** Options of a publisher. */
export type CreatePublisherOptions = Connecting &
  StreamOptions & {
    /**
     * Maximum number of messages in the window. The window reaches from the oldest message that is neither confirmed nor
     * failed to the newest. Other messages wait in a queue.
     *
     * @default 4_000
     */
    maxPendingMessages?: number | undefined;
    /**
     * Maximum number of bytes in flight, in headers and payloads.
     *
     * @default 67_108_864 (64 MiB)
     */
    maxPendingBytes?: number | undefined;
    /**
     * Gives each message without an id a unique id. So a retry is never stored twice.
     *
     * @default false
     */
    dedupe?: boolean | undefined;
    /**
     * Sends a partition's next message only after the previous one is confirmed. So no fault of the server changes the
     * order. Set `dedupe` too. Otherwise a retry may be stored twice.
     *
     * @default false
     */
    ordered?: boolean | undefined;
    /**
     * Publishes to an existing stream with its own subjects. Each message names its `subject`. Nothing is created.
     * `ordered` then applies to the messages of a key. Without a key, it applies to the messages of a subject.
     *
     * @default false
     */
    ownSubjects?: boolean | undefined;
    /**
     * Receives the outcome of each message. If it throws or rejects, the error is logged, and the publisher continues.
     *
     * @default none
     */
    observer?: PublishObserver | undefined;
    /**
     * Receives a line when the connection breaks or is restored, and when the observer throws. The same line appears at
     * most once a minute. `console` and pino work; `false`: no logging.
     *
     * @default standard error, one line for each problem
     */
    logger?: Logger | false | undefined;
  };
