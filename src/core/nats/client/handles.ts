import type { JetStreamManager, NatsConnection } from 'nats';
import type { Clock } from '../../lib/clock.js';

/** The client's objects for JetStream, and how to use them. */
export interface NatsHandles {
  connection: NatsConnection;
  manager: JetStreamManager;
  /** Prefix of reply subjects, if permissions require one other than `_INBOX`. */
  inboxPrefix: string | undefined;
  /** The JetStream domain of the stream and its bucket, empty for none; undefined: unknown, so any is accepted. */
  domain?: string | undefined;
  /**
   * How long a member waits for the state of its stream and its readers, in milliseconds: commits wait as well, and a request
   * that is lost with a connection is never answered. Default: the manager's timeout.
   */
  answerMs?: number | undefined;
  /** The clock of a member; default: the machine's. */
  clock?: Clock;
}
