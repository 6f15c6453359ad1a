import type { JetStreamManager, NatsConnection } from 'nats';
import type { Config } from '../../config/config.js';
import type { Clock } from '../../lib/clock.js';

/**
 * How long, in milliseconds, a member waits for an answer on which its commits and leases depend. This is a fifth of the ttl, or the
 * general timeout if that is shorter. A lost request therefore costs no lease.
 */
export const answerMsOf = ({ timeoutMs, ttlMs }: Pick<Config, 'timeoutMs' | 'ttlMs'>): number =>
  Math.min(timeoutMs, ttlMs / 5);

/** The client's objects for JetStream, and the settings for their use. */
export interface NatsHandles {
  connection: NatsConnection;
  manager: JetStreamManager;
  /** Prefix of reply subjects, if permissions require a prefix other than `_INBOX`. */
  inboxPrefix: string | undefined;
  /**
   * The JetStream domain of the stream and its bucket; empty for none. If the domain is unknown (undefined), any domain is
   * accepted.
   */
  domain?: string | undefined;
  /**
   * How long, in milliseconds, a member waits for the state of its stream and its readers. Commits wait for the answer. If
   * the connection breaks, the answer never arrives. Default: the manager's timeout.
   */
  answerMs?: number | undefined;
  /** The clock of a member; default: the clock of the machine. */
  clock?: Clock;
}
