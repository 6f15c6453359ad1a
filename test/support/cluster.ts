import { clusterConfig, freePorts } from '../../src/local/server/cluster.js';
import { RouteNetwork } from './routes.js';
import { TestServer, type TestServerOptions } from './server.js';

/** A cluster, and the network between its servers. */
export interface TestCluster {
  servers: TestServer[];
  routes: RouteNetwork;
}

/**
 * Starts a JetStream cluster of nats-server processes on this machine, named `s1`, `s2` and so on. The caller stops each server. The
 * servers do not announce each other to clients, so a client with one address stays at that server.
 */
export async function startCluster(
  size: number,
  options: Omit<TestServerOptions, 'config'> = {},
): Promise<TestServer[]> {
  const ports = await freePorts(size);
  const configOf = (index: number): string =>
    clusterConfig(`s${index + 1}`, ports, index, 'no_advertise: true');
  return startAll(ports.map((_, index) => new TestServer({ ...options, config: configOf(index) })));
}

/** Like {@link startCluster}, but the routes can be cut. The caller also stops the network. */
export async function startCuttableCluster(size: number): Promise<TestCluster> {
  const ports = await freePorts(size);
  const routes = new RouteNetwork();
  const fronts = await Promise.all(ports.map((port, index) => routes.front(`s${index + 1}`, port)));
  const others = (own: number): string =>
    fronts
      .filter((_, index) => index !== own)
      .map((port) => `"nats://127.0.0.1:${port}"`)
      .join(', ');
  const servers = ports.map((port, index) => {
    // Servers announce each other by the addresses of their proxies, too.
    const config = `
server_name: s${index + 1}
cluster {
  name: natspoc, listen: "127.0.0.1:${port}", advertise: "127.0.0.1:${fronts[index]}"
  routes: [${others(index)}], no_advertise: true
}
`;
    return new TestServer({ config });
  });
  try {
    return { servers: await startAll(servers), routes };
  } catch (error) {
    await routes.stop();
    throw error;
  }
}

async function startAll(servers: TestServer[]): Promise<TestServer[]> {
  const started = await Promise.allSettled(servers.map((server) => server.start()));
  const failed = started.find((each) => each.status === 'rejected');
  if (!failed) return servers;
  await Promise.all(servers.map((server) => server.stop()));
  throw failed.reason;
}
