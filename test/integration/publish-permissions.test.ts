import assert from 'node:assert/strict';
import { connect, type NatsConnection } from 'nats';
import { NatspocError } from '../../src/core/lib/errors.js';
import { natsPublishPort } from '../../src/core/nats/jetstream/pipeline.js';
import { Publisher } from '../../src/core/publisher/publisher.js';
import { withServer } from '../support/server.js';

const CONFIG = `authorization {
  users: [
    { user: admin, password: admin }
    { user: half, password: half, permissions: { publish: { deny: ["test.p.1"] } } }
    { user: deaf, password: deaf, permissions: { subscribe: { deny: ["_INBOX.>"] } } }
    { user: own, password: own, permissions: { subscribe: { allow: ["_MINE.>"] } } }
  ]
}`;

describe('publishing with limited permissions', () => {
  const server = withServer({ config: CONFIG });
  const open: NatsConnection[] = [];

  async function connectAs(user: string): Promise<NatsConnection> {
    const connection = await connect({ servers: server.url, user, pass: user });
    open.push(connection);
    return connection;
  }

  async function publisherFor(user: string, inboxPrefix?: string): Promise<Publisher> {
    const openPort = natsPublishPort(await connectAs(user), { stream: 'TEST', inboxPrefix });
    return new Publisher({ layout: { prefix: 'test', partitions: 2 }, openPort, timeoutMs: 10_000 });
  }

  before(async () => {
    const manager = await (await connectAs('admin')).jetstreamManager();
    await manager.streams.add({ name: 'TEST', subjects: ['test.p.*'] });
  });
  afterEach(() => Promise.all(open.splice(0).map((connection) => connection.close())));

  const notPermitted = (error: unknown) => error instanceof NatspocError && error.code === 'not-permitted';

  it('messages to a forbidden subject fail immediately, and no other messages fail', async () => {
    const publisher = await publisherFor('half');
    const forbidden = assert.rejects(publisher.publish({ data: 'x', partition: 1 }), notPermitted);
    assert.equal((await publisher.publish({ data: 'y', partition: 0 })).duplicate, false);
    await forbidden;
    assert.equal(publisher.counters.rejected, 1);
  });

  it('publishing fails immediately if answers cannot be received, and works with a permitted inbox', async () => {
    await assert.rejects((await publisherFor('deaf')).publish({ data: 'x' }), notPermitted);
    const own = await publisherFor('own', '_MINE');
    assert.equal((await own.publish({ data: 'x' })).duplicate, false);
  });
});
