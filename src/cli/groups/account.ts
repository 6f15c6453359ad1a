import type { Config } from '../../core/config/config.js';
import { configOf } from '../../core/config/config-of.js';
import { mapConcurrently } from '../../core/lib/concurrently.js';
import { NatspocError } from '../../core/lib/errors.js';
import type { NatsConnection } from '../../core/nats/client/connection.js';
import { findStreams } from '../../core/nats/stream/existing-bucket.js';
import { AllGroups } from './all-groups.js';
import { type GroupOverview, readGroups } from './overview.js';

/** The number of streams that are read at the same time. */
const CONCURRENT_STREAMS = 2;

/** Settings of one stream, which are dropped for another stream. */
const OF_STREAM = new Set(['prefix', 'replicas', 'bucket']);

/** A group of the account. */
export interface AccountGroup extends GroupOverview {
  stream: string;
}

/** The configuration for another group of this or another stream, without the settings of the current layout. */
export function configIn(config: Config, stream: string, group: string): Config {
  const own = configOf(config, group);
  if (stream === config.stream) return own;
  const given = new Set([...own.given].filter((name) => !OF_STREAM.has(name)));
  return { ...own, stream, bucket: `${stream}_leases`, given };
}

/**
 * The groups of all streams of the account, sorted by stream and name.
 *
 * If listing streams is not permitted, returns only the groups of the configured stream.
 *
 * @throws NatspocError if the server does not answer.
 */
export async function readAccount(connection: NatsConnection, config: Config): Promise<AccountGroup[]> {
  const streams = await streamsOf(connection, config);
  const groups = await mapConcurrently(streams, CONCURRENT_STREAMS, async (stream) => {
    const found = await groupsOf(connection, configIn(config, stream, config.group));
    return found.map((group): AccountGroup => ({ ...group, stream }));
  });
  return groups.flat();
}

async function streamsOf(connection: NatsConnection, config: Config): Promise<string[]> {
  try {
    return [...new Set([...(await findStreams(connection, config)), config.stream])].sort();
  } catch (error) {
    if (error instanceof NatspocError && error.code === 'not-permitted') return [config.stream];
    throw error;
  }
}

/** The groups of one stream; none if it cannot be read, so that the other streams are still shown. */
async function groupsOf(connection: NatsConnection, config: Config): Promise<GroupOverview[]> {
  try {
    return await readGroups(new AllGroups(connection, config));
  } catch (error) {
    if (error instanceof NatspocError && error.code !== 'unreachable') return [];
    throw error;
  }
}
