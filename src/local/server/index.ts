import { type FetchOptions, fetchServer } from './fetch.js';
import { type FindOptions, findServer } from './find.js';

export { type ClusterServer, startCluster } from './cluster.js';
export { defaultStoreDir } from './paths.js';
export { type RunningServer, type ServerExit, type ServerOptions, startServer } from './run.js';

/** Where to look for a server, where to fetch one from, and whom to tell. */
export type EnsureOptions = FindOptions & FetchOptions;

/**
 * The path of a `nats-server` program: one that is on this machine, else one that is fetched into the user's
 * cache folder. Throws NatspocError `config` for a wrong NATS_SERVER_BIN, and `server-missing` with every way
 * to get one.
 */
export async function ensureServerBinary(options: EnsureOptions): Promise<string> {
  return findServer(options) ?? (await fetchServer(options));
}
