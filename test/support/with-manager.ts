import { connect, type JetStreamManager, type NatsConnection } from 'nats';
import { type TestServer, withServer } from './server.js';

/** A server, and a client that looks at it and changes it. The client exists only within tests. */
export interface ManagedServer {
  readonly server: TestServer;
  readonly connection: NatsConnection;
  readonly manager: JetStreamManager;
}

/** Starts a server and connects a client before the tests of a `describe`, and ends both afterwards. */
export function withManager(): ManagedServer {
  const server = withServer();
  let client: { connection: NatsConnection; manager: JetStreamManager } | undefined;
  const open = () => {
    if (!client) throw new Error('the client exists only within tests');
    return client;
  };
  before(async () => {
    const connection = await connect({ servers: server.url });
    client = { connection, manager: await connection.jetstreamManager() };
  });
  after(() => client?.connection.close());
  return {
    server,
    get connection() {
      return open().connection;
    },
    get manager() {
      return open().manager;
    },
  };
}
