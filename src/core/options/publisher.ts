import type { Logger } from '../member/partition/logger.js';
import type { PublishObserver } from '../publisher/types.js';
import type { Connecting, StreamOptions } from './connecting.js';

/** Options of a publisher. */
export type CreatePublisherOptions = Connecting &
  StreamOptions & {
    /**
     * Limit of messages in flight: accepted, not yet confirmed.
     *
     * @default 4_000
     */
    maxPendingMessages?: number | undefined;
    /**
     * Limit of bytes in flight, headers and payloads.
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
     * Sends the next message of a partition only after the previous one is confirmed, so that no fault of the server changes
     * the order. At most one message of each partition is in flight. Set `dedupe` too, otherwise a retry may be stored
     * twice.
     *
     * @default false
     */
    ordered?: boolean | undefined;
    /**
     * Publishes to a stream that exists and has subjects of its own: each message names its `subject`. Nothing is created.
     * `ordered` keeps the messages of a key in order, and messages without a key in the order of their subject.
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
     * Receives a line when the connection breaks or is back, and when the observer throws; each text at most once a minute.
     * `console` and pino work; `false`: no logging.
     *
     * @default one line each on standard error
     */
    logger?: Logger | false | undefined;
  };
