import type { Config } from '../config/config.js';
import { connectNats, type NatsConnection } from '../nats/client/connection.js';
import { closedByUs } from '../nats/client/watch-connection.js';
import type { Connecting } from './connecting.js';

/**
 * The program's connection, or a new one with `role` in its name. `close` closes only a new connection.
 *
 * @throws NatspocError `unreachable` if the program's connection is closed, or a new one cannot be opened.
 */
export async function connectionOf(
  { connection }: Connecting,
  config: Config,
  role: string,
): Promise<{ connection: NatsConnection; close: () => Promise<void> }> {
  if (connection?.isClosed()) throw closedByUs();
  if (connection) return { connection, close: async () => {} };
  const own = await connectNats(config, `natspoc ${role}`);
  return { connection: own, close: () => own.close() };
}
