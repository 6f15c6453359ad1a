import type { JetStreamManager, NatsConnection } from 'nats';
import type { Config } from '../../config/config.js';
import { NatspocError } from '../../lib/errors.js';
import { correctClient } from './corrections.js';
import { toNatspocError } from './outcome.js';

/** Like {@link toNatspocError}. If JetStream does not answer in the domain of the manager, the error names the domain. */
export function explainTo(manager: JetStreamManager, error: unknown, doing: string): NatspocError {
  const explained = toNatspocError(error, doing);
  const domain = /^\$JS\.(.+)\.API$/.exec(manager.getOptions().apiPrefix ?? '')?.[1];
  if (explained.code !== 'jetstream-disabled' || domain === undefined) return explained;
  const message = `JetStream does not answer in domain ${domain}: check --js-domain (jsDomain), or whether the leaf node is connected to that domain.`;
  return new NatspocError(explained.code, message, { cause: error });
}

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
