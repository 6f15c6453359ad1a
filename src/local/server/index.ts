import { type FetchOptions, fetchServer } from './fetch.js';
import { type FindOptions, findServer } from './find.js';

export { type ClusterServer, startCluster } from './cluster.js';
export { defaultStoreDir } from './paths.js';
export { type RunningServer, type ServerExit, type ServerOptions, startServer } from './run.js';

/** Options for finding and fetching a server. */
export type EnsureOptions = FindOptions & FetchOptions;

/**
 * The path of a `nats-server` program. If this machine has none, it is fetched into the user's cache folder.
 *
 * @throws NatspocError `config` for a wrong NATS_SERVER_BIN; `server-missing` if the fetch fails, with the ways to get a server.
 */
export async function ensureServerBinary(options: EnsureOptions): Promise<string> {
  return findServer(options) ?? (await fetchServer(options));
}
