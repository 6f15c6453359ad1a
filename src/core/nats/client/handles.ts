import type { JetStreamManager, NatsConnection } from 'nats';
import type { Clock } from '../../lib/clock.js';

/** What every part of this folder needs to talk to JetStream. */
export interface NatsHandles {
  connection: NatsConnection;
  manager: JetStreamManager;
  /** Prefix of reply subjects, where permissions ask for another than `_INBOX`. */
  inboxPrefix: string | undefined;
  /** The JetStream domain of the stream and its bucket, empty for none; undefined: not known, and any will do. */
  domain?: string | undefined;
  /** The time of everything that a member depends on; the machine's by default. */
  clock?: Clock;
}
