import type { NatsConnection } from 'nats';
import type { Config } from '../../config/config.js';
import { openManager } from '../client/manager.js';
import { findStream } from './creation.js';

/**
 * The last sequence that the stream has stored; 0 if it is empty or does not exist.
 *
 * @throws NatspocError if the server does not answer.
 */
export async function streamEnd(connection: NatsConnection, config: Config): Promise<number> {
  const found = await findStream(await openManager(connection, config), config.stream);
  return found?.state.last_seq ?? 0;
}
