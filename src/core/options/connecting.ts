import type { NatsConnection } from '../nats/client/connection.js';

/** How to connect: to URLs, or over your own connection. You close your own connection yourself. */
export type Connecting =
  | {
      /**
       * A connection of the client `nats`, version 2.
       *
       * @default none: a connection to `servers`
       */
      connection: NatsConnection;
      servers?: undefined;
    }
  | {
      connection?: undefined;
      /**
       * URLs, such as `nats://USER:PASSWORD@HOST:4222`. One text may contain several URLs, separated by commas.
       *
       * @default 'nats://127.0.0.1:4222'
       */
      servers?: string | readonly string[] | undefined;
    };

/** The stream. A missing stream, bucket or layout is created. */
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
   * @default the prefix of the stream; 'subject.events' for a new stream
   */
  prefix?: string | undefined;
  /**
   * Number of partitions of a new stream, or of a new group with a `key`.
   *
   * @default the number of partitions of the stream; 8 for a new stream
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
   * How long to wait for an answer from the server, in milliseconds. A publisher also waits this long for the
   * confirmation of a message, retries included. Its own default for that is 30,000 ms. The time in which a message waits for room and
   * the stream confirms others does not count.
   *
   * @default 5_000
   */
  timeoutMs?: number | undefined;
  /**
   * How long to retry when the server refuses the credentials of an established connection, in milliseconds; 0 to a day.
   * Does not apply to your own `connection`. That one retries without limit if its `ignoreAuthErrorAbort` is true.
   *
   * @default 30_000
   */
  authRetryMs?: number | undefined;
  /**
   * Prefix of reply subjects. Set this option if permissions require another prefix.
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
