import type { NatsConnection } from 'nats';
import type { Config } from '../../config/config.js';
import { askAgain } from '../client/ask-again.js';
import { API_ERRORS, apiErrorCode, toNatspocError } from '../client/outcome.js';
import { openManager } from './topology.js';

/**
 * The sequence of the last message that the stream has stored; 0 where there is no stream yet, or it is empty.
 *
 * @throws NatspocError where the server does not tell.
 */
export async function streamEnd(connection: NatsConnection, config: Config): Promise<number> {
  const manager = await openManager(connection, config);
  try {
    const { state } = await askAgain(() => manager.streams.info(config.stream), config.timeoutMs);
    return state.last_seq;
  } catch (error) {
    if (apiErrorCode(error) === API_ERRORS.streamNotFound) return 0;
    throw toNatspocError(error, `look up ${config.stream}`);
  }
}
