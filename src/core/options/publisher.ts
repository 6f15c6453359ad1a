import type { Logger } from '../member/partition/logger.js';
import type { PublishObserver } from '../publisher/types.js';
import type { Connecting, StreamOptions } from './connecting.js';

/** Options of a publisher. */
export type CreatePublisherOptions = Connecting &
  StreamOptions & {
    /**
     * Maximum number of messages in flight, that is, accepted and not yet confirmed.
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
     * Gives each message without an id a unique id, so that a retry is never stored twice.
     *
     * @default false
     */
    dedupe?: boolean | undefined;
    /**
     * Sends the next message of a partition only after the previous message is confirmed, so that no fault of the server
     * changes the order. At most one message of each partition is in flight. Set `dedupe` too; otherwise a retry may be
     * stored twice.
     *
     * @default false
     */
    ordered?: boolean | undefined;
    /**
     * Publishes to an existing stream that has its own subjects. Each message names its `subject`. Nothing is created. `ordered`
     * keeps the messages of a key in order. Among messages without a key, `ordered` keeps the messages of a subject in order.
     *
     * @default false
     */
    ownSubjects?: boolean | undefined;
    /**
     * Receives the outcome of each message. If the observer throws or rejects, the error is logged, and the publisher
     * continues.
     *
     * @default none
     */
    observer?: PublishObserver | undefined;
    /**
     * Receives a line when the connection breaks or is restored, and when the observer throws. The same text is logged at most once a
     * minute. `console` and pino work; `false`: no logging.
     *
     * @default standard error, one line for each problem
     */
    logger?: Logger | false | undefined;
  };
