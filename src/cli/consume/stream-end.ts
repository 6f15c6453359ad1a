import type { Config } from '../../core/config/config.js';
import { startPatienceMs } from '../../core/nats/client/ask-again.js';
import type { NatsConnection } from '../../core/nats/client/connection.js';
import { openManager } from '../../core/nats/client/manager.js';
import { findStream } from '../../core/nats/stream/creation.js';

/**
 * The last sequence that the stream has stored; 0 if the stream is empty or does not exist.
 *
 * @throws NatspocError if the server does not answer.
 */
export async function streamEnd(connection: NatsConnection, config: Config): Promise<number> {
  const found = await findStream(
    await openManager(connection, config),
    config.stream,
    startPatienceMs(config),
  );
  return found?.state.last_seq ?? 0;
}
