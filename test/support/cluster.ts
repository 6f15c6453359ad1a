import { createServer } from 'node:net';
import { TestServer } from './server.js';

/** A free port of 127.0.0.1, as far as one can know. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return address !== null && typeof address === 'object' ? address.port : 0;
}

/**
 * Starts a JetStream cluster of nats-server processes on this machine, named `s1`, `s2` and so on; the caller stops
 * each. They do not tell clients of each other: who is given one address stays with it.
 */
export async function startCluster(size: number): Promise<TestServer[]> {
  const ports = await Promise.all(Array.from({ length: size }, freePort));
  const routes = ports.map((port) => `nats://127.0.0.1:${port}`).join(', ');
  const servers = ports.map((port, index) => {
    const config = `
server_name: s${index + 1}
cluster { name: test, listen: "127.0.0.1:${port}", routes: [${routes}], no_advertise: true }
`;
    return new TestServer({ config });
  });
  const started = await Promise.allSettled(servers.map((server) => server.start()));
  const failed = started.find((each) => each.status === 'rejected');
  if (failed) {
    await Promise.all(servers.map((server) => server.stop()));
    throw failed.reason;
  }
  return servers;
}
