import type { NatsConnection } from 'nats';
import type { Config } from '../../config/config.js';
import { openManager } from '../client/manager.js';
import { toNatspocError } from '../client/outcome.js';
import { bucketStream } from '../kv/bucket.js';

/**
 * The names of the account's streams that have a bucket of the usual name, sorted.
 *
 * @throws NatspocError `not-permitted`, `unreachable`, …
 */
export async function findStreams(connection: NatsConnection, config: Config): Promise<string[]> {
  const manager = await openManager(connection, config);
  const names = new Set<string>();
  try {
    for await (const name of manager.streams.names()) names.add(name);
  } catch (error) {
    throw toNatspocError(error, 'list the streams of the account');
  }
  return [...names].filter((name) => names.has(bucketStream(`${name}_leases`))).sort();
}
