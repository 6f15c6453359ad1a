import { clusterConfig, freePorts } from '../../src/core/server/cluster.js';
import { TestServer } from './server.js';

/**
 * Starts a JetStream cluster of nats-server processes on this machine, named `s1`, `s2` and so on; the caller stops
 * each. They do not tell clients of each other: who is given one address stays with it.
 */
export async function startCluster(size: number): Promise<TestServer[]> {
  const ports = await freePorts(size);
  const servers = ports.map((_, index) => {
    return new TestServer({ config: clusterConfig(`s${index + 1}`, ports, index, 'no_advertise: true') });
  });
  const started = await Promise.allSettled(servers.map((server) => server.start()));
  const failed = started.find((each) => each.status === 'rejected');
  if (failed) {
    await Promise.all(servers.map((server) => server.stop()));
    throw failed.reason;
  }
  return servers;
}
