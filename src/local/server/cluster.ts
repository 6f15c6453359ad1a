import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { NatspocError } from '../../core/lib/errors.js';
import { asObject } from '../../core/lib/json.js';
import { type RunningServer, type ServerOptions, startServer } from './run.js';

/** Options of a cluster. Each server has its own free port and store. */
export type ClusterOptions = Pick<ServerOptions, 'binary'> & { size: number };

/** One server of a cluster. */
export interface ClusterServer extends RunningServer {
  /** The name of the server in the cluster: `n1`, `n2` … */
  readonly name: string;
}

/** Timeout of the first election, in milliseconds. An election takes some seconds. */
const READY_TIMEOUT_MS = 60_000;
const LOOK_AGAIN_MS = 100;
/** Number of attempts to start. Another program can take a free port before the server uses it. */
const ATTEMPTS = 3;

/** Finds free ports in advance. Each server must know the ports of all others before it starts. */
export async function freePorts(count: number): Promise<number[]> {
  const listening = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  try {
    return await Promise.all(
      listening.map(
        (server) =>
          new Promise<number>((resolve, reject) => {
            server.once('error', reject);
            server.once('listening', () => {
              const address = server.address();
              resolve(typeof address === 'object' && address !== null ? address.port : 0);
            });
          }),
      ),
    );
  } finally {
    for (const server of listening) server.close();
  }
}

/** Configuration of one server of a cluster, in nats-server's own syntax. `more` is added to the `cluster` block. */
export function clusterConfig(name: string, ports: readonly number[], index: number, more = ''): string {
  const routes = ports.map((port) => `"nats://127.0.0.1:${port}"`).join(', ');
  return `
server_name: ${name}
cluster { name: natspoc, listen: "127.0.0.1:${ports[index]}", routes: [${routes}], ${more} }
`;
}

/**
 * True if this server knows the JetStream leader of the cluster. The leader must also know all other servers; otherwise it cannot place the
 * replicas of a stream.
 */
async function isReady({ monitorUrl, name }: ClusterServer, size: number): Promise<boolean> {
  const answer = await fetch(`${monitorUrl}/jsz`).catch(() => undefined);
  if (!answer?.ok) return false;
  const report: unknown = await answer.json();
  const meta = field(report, 'meta_cluster');
  const leader = field(meta, 'leader');
  if (!leader || field(meta, 'cluster_size') !== size) return false;
  if (leader !== name) return true;
  const others = field(meta, 'replicas');
  if (!Array.isArray(others) || others.length !== size - 1) return false;
  return others.every((each) => field(each, 'current') === true && field(each, 'offline') !== true);
}

const field = (value: unknown, name: string): unknown => asObject(value)?.[name];

async function launch({ binary, size }: ClusterOptions): Promise<ClusterServer[]> {
  const ports = await freePorts(size);
  const starting = ports.map(async (_, index): Promise<ClusterServer> => {
    const name = `n${index + 1}`;
    const server = await startServer({
      binary,
      monitorPort: 0,
      config: clusterConfig(name, ports, index),
    });
    return { ...server, name };
  });
  const started = await Promise.allSettled(starting);
  const servers = started.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  const failed = started.find((each) => each.status === 'rejected');
  if (!failed) return servers;
  await Promise.all(servers.map((server) => server.stop()));
  throw failed.reason;
}

/**
 * Starts the servers of a cluster on this machine and resolves when they have elected a leader for JetStream.
 *
 * @throws NatspocError `failed` for the reasons of {@link startServer}, or if no leader is elected in time. Then no server runs.
 */
export async function startCluster(options: ClusterOptions): Promise<ClusterServer[]> {
  let servers: ClusterServer[] = [];
  for (let attempt = 1; servers.length === 0; attempt++) {
    try {
      servers = await launch(options);
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
    }
  }
  const deadline = performance.now() + READY_TIMEOUT_MS;
  for (;;) {
    const ready = await Promise.all(servers.map((server) => isReady(server, options.size)));
    if (ready.every(Boolean)) return servers;
    if (performance.now() > deadline) {
      await Promise.all(servers.map((server) => server.stop()));
      throw new NatspocError('failed', `The ${options.size} servers did not form a cluster in time.`);
    }
    await sleep(LOOK_AGAIN_MS);
  }
}
