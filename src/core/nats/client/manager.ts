import type { JetStreamManager, NatsConnection } from 'nats';
import type { Config } from '../../config/config.js';
import { correctClient } from './corrections.js';
import { toNatspocError } from './outcome.js';

/** The JetStream domain of a manager's requests; undefined if none is set. */
export const jsDomainOf = (manager: JetStreamManager): string | undefined =>
  /^\$JS\.(.+)\.API$/.exec(manager.getOptions().apiPrefix ?? '')?.[1];

/** @throws NatspocError if JetStream cannot be reached. */
export async function openManager(connection: NatsConnection, config: Config): Promise<JetStreamManager> {
  // If the program opened the connection, the client is not corrected yet.
  correctClient();
  try {
    return await connection.jetstreamManager({
      checkAPI: false,
      timeout: config.timeoutMs,
      ...(config.jsDomain && { domain: config.jsDomain }),
    });
  } catch (error) {
    throw toNatspocError(error, 'reach JetStream');
  }
}
