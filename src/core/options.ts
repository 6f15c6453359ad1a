import type { BatchLimits } from './config/batch.js';
import type { Backoff, OnExhausted } from './config/retry.js';
import type { StartFrom, StartFromText } from './config/start-from.js';
import type { HealthOptions } from './health/server.js';
import type { GroupMember } from './member/group-member.js';
import type { BatchHandler, Handler } from './member/partition/handler.js';
import type { Logger } from './member/partition/logger.js';
import type { Judge } from './member/partition/verdict.js';
import type { NatsConnection } from './nats/client/connection.js';
import type { StreamMessage } from './protocol/message.js';
import type { PublisherOptions } from './publisher/publisher.js';

/** How to connect: your own connection, which you close yourself, or URLs. */
export type Connecting =
  | {
      /** A connection of the client `nats`, version 2. */
      connection: NatsConnection;
      servers?: never;
    }
  | {
      connection?: never;
      /**
       * URLs, such as `nats://USER:PASSWORD@HOST:4222`; in one text separated by commas.
       *
       * @default 'nats://127.0.0.1:4222'
       */
      servers?: string | readonly string[] | undefined;
    };

/** The stream; a missing stream, bucket or layout is created. */
export interface StreamOptions {
  /**
   * Name of the stream.
   *
   * @default 'EVENTS'
   */
  stream?: string | undefined;
  /**
   * Subject prefix; partition n is `PREFIX.p.n`.
   *
   * @default that of the stream; 'subject.events' for a new stream
   */
  prefix?: string | undefined;
  /**
   * Partitions, fixed when the stream is created.
   *
   * @default those of the stream; 8 for a new stream
   */
  partitions?: number | undefined;
  /**
   * Replicas of a new stream and bucket, 1 to 5.
   *
   * @default 1
   */
  replicas?: number | undefined;
  /**
   * The bucket of leases and positions.
   *
   * @default '<stream>_leases'
   */
  bucket?: string | undefined;
  /**
   * How long to wait for an answer of the server, milliseconds. For {@link createPublisher} it is also the time in which a
   * message must be confirmed, retries included; the default for that is 30,000.
   *
   * @default 5_000
   */
  timeoutMs?: number | undefined;
  /**
   * How long to retry when the server refuses the credentials of an established connection, milliseconds; 0 to a day.
   * Your own connection ignores this option: with `ignoreAuthErrorAbort` it retries without limit.
   *
   * @default 30_000
   */
  authRetryMs?: number | undefined;
  /**
   * Prefix of reply subjects, if permissions require another one.
   *
   * @default '_INBOX'
   */
  inboxPrefix?: string | undefined;
  /**
   * JetStream domain.
   *
   * @default none
   */
  jsDomain?: string | undefined;
}

/** What handles the messages: each one, or batches of one partition. */
export type Handling =
  | {
      /** Called for each message; see {@link Handler}. */
      handler: Handler;
      batchHandler?: never;
      batch?: never;
    }
  | {
      handler?: never;
      /** Called for batches of one partition, in order; see {@link BatchHandler}. `concurrency` is 1. */
      batchHandler: BatchHandler;
      /**
       * Limits of a batch: `messages`, `bytes` (payloads and headers), and `waitMs`, after which a batch that is not full
       * starts, milliseconds.
       *
       * @default { messages: 500, bytes: 4_194_304, waitMs: 100 }
       */
      batch?: Partial<BatchLimits> | undefined;
    };

/** Options of a member. */
export type JoinGroupOptions = Connecting &
  StreamOptions &
  Handling & {
    /**
     * The group; groups are independent of each other.
     *
     * @default 'default'
     */
    group?: string | undefined;
    /**
     * Reads any existing stream, in order for each key: `'subject:2'`, `'subject:2,3'`, `'header:NAME'`, `'json:PATH'`, or a
     * function with a name, which members compare. A message without a key goes by its subject. `partitions` is then the
     * number of this group; the first member decides, and later members may leave all of it out.
     *
     * @default none: the partitions of the stream's own layout
     */
    key?: string | { name: string; of: (message: StreamMessage) => string | null } | undefined;
    /**
     * With a key: which subjects of the stream the group handles; one subject, with or without wildcards.
     *
     * @default all
     */
    filter?: string | undefined;
    /**
     * Name of this member, for people; need not be unique.
     *
     * @default host and process id
     */
    name?: string | undefined;
    /**
     * Messages of one partition handled in parallel, each of a different key.
     *
     * @default 1
     */
    concurrency?: number | undefined;
    /**
     * An attempt that takes longer has failed, milliseconds.
     *
     * @default no limit
     */
    handlerTimeoutMs?: number | undefined;
    /**
     * How many times a message is tried.
     *
     * @default 3
     */
    maxAttempts?: number | undefined;
    /**
     * How many members in a row may die, or hang for longer than the ttl, while they handle a message. Then it fails without being
     * tried, and `judge` or `onFailure` decides. 2 to 1,000.
     *
     * @default 3
     */
    maxCrashes?: number | undefined;
    /**
     * Waits between attempts, milliseconds: `baseMs`, doubled each time up to `maxMs`; half of each wait is random.
     *
     * @default { baseMs: 100, maxMs: 30_000 }
     */
    backoff?: Backoff | undefined;
    /**
     * After the last attempt: halt the partition until an operator releases it, store the message as a dead letter, or
     * skip the message.
     *
     * @default 'halt'
     */
    onFailure?: OnExhausted | undefined;
    /**
     * Decides what follows a failed attempt: `'retry'`, `{ retryInMs }`, or what `onFailure` can do; nothing: `maxAttempts` and
     * `onFailure` decide. Called at once, so it returns no promise. See {@link Judge}.
     *
     * @default none
     */
    judge?: Judge | undefined;
    /**
     * Where the group starts; its first member decides this once. `'first'`, `'new'` (messages published after that member
     * joined), `'seq:9'`, `'time:2026-01-31T08:00:00Z'`, or the same as an object.
     *
     * @default 'first'
     */
    from?: StartFrom | StartFromText | undefined;
    /**
     * How often positions are committed while busy, milliseconds: upper bound on what is handled again after a crash.
     *
     * @default 200
     */
    commitIntervalMs?: number | undefined;
    /**
     * Also commit after this many messages of a partition.
     *
     * @default 1_000
     */
    commitEvery?: number | undefined;
    /**
     * A member that cannot renew within this time loses its leases, milliseconds.
     *
     * @default 10_000
     */
    ttlMs?: number | undefined;
    /**
     * How often members probe each other, milliseconds; 0: never.
     *
     * @default 400
     */
    probeIntervalMs?: number | undefined;
    /**
     * How long a handler may take to finish before its partition moves anyway, milliseconds.
     *
     * @default 5_000
     */
    drainTimeoutMs?: number | undefined;
    /**
     * Limit of messages in memory, for all partitions.
     *
     * @default 65_536
     */
    bufferMessages?: number | undefined;
    /**
     * Limit of bytes in memory, for all partitions.
     *
     * @default 33_554_432 (32 MiB)
     */
    bufferBytes?: number | undefined;
    /**
     * How often the event `memory` is emitted, milliseconds.
     *
     * @default 30_000
     */
    memoryIntervalMs?: number | undefined;
    /**
     * Receives `context.log`, and a line for each problem of the member: messages that failed for good, partitions halted or
     * lost, a broken connection, messages that the stream dropped, a listener that threw. `console` and pino work; `false`: no
     * logging.
     *
     * @default one line each on standard error
     */
    logger?: Logger | false | undefined;
    /**
     * Awaited before each commit: must resolve when the effects of all messages handled so far are safe, for example when a
     * buffer is written. If it rejects, the member leaves with that error, and the next owner handles uncommitted messages
     * again.
     *
     * @default none: a message is safe when its handler has resolved
     */
    barrier?: (() => Promise<void> | undefined) | undefined;
    /**
     * Count unhandled rejections of the handler's promises as its failure. Costs some speed; has no effect on Bun, which
     * does not reveal the origin of a rejection.
     *
     * @default false
     */
    guardRejections?: boolean | undefined;
    /**
     * Serve `/healthz`, `/readyz` and `/metrics` over HTTP.
     *
     * @default not served
     */
    health?: HealthOptions | undefined;
    /** When it aborts, the member leaves, or stops joining. */
    signal?: AbortSignal | undefined;
    /** Adds listeners before the first event. */
    listen?: ((member: GroupMember) => void) | undefined;
  };

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
     * Publishes to a stream that exists and has subjects of its own: each message names its `subject`. Nothing is created, and
     * `ordered` keeps the messages of a key in order, or those of a subject where there is no key.
     *
     * @default false
     */
    ownSubjects?: boolean | undefined;
    /** Receives the outcome of each message. */
    observer?: PublisherOptions['observer'] | undefined;
  };

/** The stream to inspect and control, and the times that its members may take. */
export type OpenStreamOptions = Connecting &
  Pick<StreamOptions, 'stream' | 'bucket' | 'timeoutMs' | 'authRetryMs' | 'inboxPrefix' | 'jsDomain'> &
  Pick<JoinGroupOptions, 'group' | 'ttlMs' | 'drainTimeoutMs'>;
