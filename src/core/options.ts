import type { Backoff, OnExhausted } from './config/retry.js';
import type { StartFrom, StartFromText } from './config/start-from.js';
import type { HealthOptions } from './health/server.js';
import type { GroupMember } from './member/group-member.js';
import type { Handler, Logger } from './member/partition/handler.js';
import type { NatsConnection } from './nats/client/connection.js';
import type { PublisherOptions } from './publisher/publisher.js';

/** Where NATS is: a connection of yours, which stays yours to close, or URLs for one of our own. */
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

/** Which stream; what is missing is created. */
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
   * @default that of the stream; 'subject.events' for one that has to be created
   */
  prefix?: string | undefined;
  /**
   * Partitions, fixed when the stream is created.
   *
   * @default those of the stream; 8 for one that has to be created
   */
  partitions?: number | undefined;
  /**
   * Replicas of what has to be created, 1 to 5.
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
   * How long to wait for an answer of the server, milliseconds. Of {@link createPublisher} it is also how long a message
   * may take to be confirmed, retries included; that is 30,000 where nothing is said.
   *
   * @default 5_000
   */
  timeoutMs?: number | undefined;
  /**
   * How long a connection that was there is tried again where its credentials are refused, milliseconds; 0 to a day. A
   * connection of your own does as you made it: with `ignoreAuthErrorAbort` it tries for ever.
   *
   * @default 30_000
   */
  authRetryMs?: number | undefined;
  /**
   * Prefix of reply subjects, where permissions ask for another.
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

/** How a member joins and handles. */
export type JoinGroupOptions = Connecting &
  StreamOptions & {
    /** Called for each message; see {@link Handler}. */
    handler: Handler;
    /**
     * The group; groups are independent of each other.
     *
     * @default 'default'
     */
    group?: string | undefined;
    /**
     * Name of this member, for people; need not be unique.
     *
     * @default host and process id
     */
    name?: string | undefined;
    /**
     * Messages of one partition handled side by side, each of another key.
     *
     * @default 1
     */
    concurrency?: number | undefined;
    /**
     * An attempt that takes longer has failed, milliseconds.
     *
     * @default it may take for ever
     */
    handlerTimeoutMs?: number | undefined;
    /**
     * How often a message is tried.
     *
     * @default 3
     */
    maxAttempts?: number | undefined;
    /**
     * Waits between attempts, milliseconds: the first, doubled each time up to the last; half of each is random.
     *
     * @default { baseMs: 100, maxMs: 30_000 }
     */
    backoff?: Backoff | undefined;
    /**
     * After the last attempt: its partition is given up until somebody looks, the message is stored as a dead letter, or
     * it is passed over.
     *
     * @default 'halt'
     */
    onFailure?: OnExhausted | undefined;
    /**
     * Where the group starts: decided once, by its first member. `'first'`, `'new'` (what is published once that has
     * joined), `'seq:9'`, `'time:2026-01-31T08:00:00Z'`, or the same as an object.
     *
     * @default 'first'
     */
    from?: StartFrom | StartFromText | undefined;
    /**
     * Positions are committed this often while busy, milliseconds: what a crash repeats at most.
     *
     * @default 200
     */
    commitIntervalMs?: number | undefined;
    /**
     * And after this many messages of a partition.
     *
     * @default 1_000
     */
    commitEvery?: number | undefined;
    /**
     * A member that cannot renew for this long loses its partitions, milliseconds.
     *
     * @default 10_000
     */
    ttlMs?: number | undefined;
    /**
     * How often members look after each other, milliseconds; 0: not at all.
     *
     * @default 400
     */
    probeIntervalMs?: number | undefined;
    /**
     * How long a handler may take to finish before its partition moves without it, milliseconds.
     *
     * @default 5_000
     */
    drainTimeoutMs?: number | undefined;
    /**
     * Messages in memory at most, over all partitions.
     *
     * @default 65_536
     */
    bufferMessages?: number | undefined;
    /**
     * Bytes in memory at most.
     *
     * @default 33_554_432 (32 MiB)
     */
    bufferBytes?: number | undefined;
    /**
     * How often the event `memory` comes, milliseconds.
     *
     * @default 30_000
     */
    memoryIntervalMs?: number | undefined;
    /**
     * Takes `context.log`, and what goes wrong with the member: messages that failed for good, partitions given up or
     * lost, messages that the stream dropped. `console` and pino will do; `false`: nothing is said.
     *
     * @default one line each on standard error
     */
    logger?: Logger | false | undefined;
    /**
     * Awaited before each commit: resolves when the effects of what was handled so far are safe, such as when a buffer is
     * written. Where it rejects, the member leaves with that error, and what was not committed is handled again by the
     * next owner.
     *
     * @default none: a message is safe when its handler has resolved
     */
    barrier?: (() => Promise<void> | undefined) | undefined;
    /**
     * Rejected promises that the handler has left behind are its failure. Costs some speed; without effect on Bun, which
     * does not say where a rejection comes from.
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
    /** Leaves when it aborts; while the group is being joined, gives that up. */
    signal?: AbortSignal | undefined;
    /** Adds listeners before anything can happen. */
    listen?: ((member: GroupMember) => void) | undefined;
  };

/** How a publisher of the library is made. */
export type CreatePublisherOptions = Connecting &
  StreamOptions & {
    /**
     * Messages in the window at most: accepted and not confirmed.
     *
     * @default 4_000
     */
    maxPendingMessages?: number | undefined;
    /**
     * Bytes in the window at most, headers and payloads.
     *
     * @default 67_108_864 (64 MiB)
     */
    maxPendingBytes?: number | undefined;
    /**
     * Gives each message without an id one of its own, so that a retry is never stored twice.
     *
     * @default false
     */
    dedupe?: boolean | undefined;
    /**
     * Sends the next message of a partition when the one before is confirmed: the order holds whatever happens to the
     * server, for as many messages on their way as there are partitions. Give `dedupe` as well, or a retry may be stored
     * twice.
     *
     * @default false
     */
    ordered?: boolean | undefined;
    /** Told how each message ended. */
    observer?: PublisherOptions['observer'] | undefined;
  };

/** Which stream is looked at and steered, and how long its members may take. */
export type OpenStreamOptions = Connecting &
  Pick<StreamOptions, 'stream' | 'bucket' | 'timeoutMs' | 'authRetryMs' | 'inboxPrefix' | 'jsDomain'> &
  Pick<JoinGroupOptions, 'group' | 'ttlMs' | 'drainTimeoutMs'>;
