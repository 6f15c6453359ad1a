import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type JetStreamManager, type NatsConnection } from 'nats';
import { deadStream } from '../../src/core/dead/letter.js';
import { createPublisher, joinGroup } from '../../src/core/index.js';
import { NatsDeadLetters } from '../../src/core/nats/dead-letters.js';
import { fakeMessage } from '../support/fake-partition.js';
import { withServer } from '../support/server.js';
import { until } from '../support/until.js';

/** Messages that wait for a reader, and are dropped before they come: no delivery ever tells. */
describe('what a stream drops while it is read', function () {
  this.timeout(30_000);
  const server = withServer();
  let connection: NatsConnection;
  let manager: JetStreamManager;

  before(async () => {
    connection = await connect({ servers: server.url });
    manager = await connection.jetstreamManager();
  });
  after(() => connection.close());

  it('is no lag any more, and keeps nobody from having caught up', async () => {
    const place = { connection, stream: 'D1', prefix: 'D1.e', partitions: 1 };
    const publisher = await createPublisher(place);
    await Promise.all(Array.from({ length: 200 }, () => publisher.publish({ data: 'x' })));
    await publisher.close();
    let purged = (): void => {};
    const purging = new Promise<void>((resolve) => {
      purged = resolve;
    });
    let handled = 0;
    const member = await joinGroup({ ...place, handler: () => (++handled === 10 ? purging : undefined) });
    const trimmed = once(member, 'trimmed');
    await until('it handles', () => handled === 10);
    await manager.streams.purge('D1');
    purged();
    const [{ to, atMost }] = await trimmed;
    assert.equal(to, 200);
    assert.equal(handled + atMost, 200);
    const [status] = member.partitions;
    assert.deepEqual([status?.lag, status?.caughtUp], [0, true]);
    await member.leave();
  });

  it('is not waited for by a reader of dead letters', async () => {
    const options = { stream: 'D2', prefix: 'D2.e', replicas: 1, timeoutMs: 5_000 };
    const box = new NatsDeadLetters({ connection, manager, inboxPrefix: undefined }, options);
    await box.ensure();
    const { store } = box.storeFor('g');
    for (let sequence = 1; sequence <= 200; sequence++) {
      await store({ message: fakeMessage(sequence), partition: 0, epoch: 1, attempts: 1, error: 'no' });
    }
    let read = 0;
    for await (const _ of box.letters(() => {}))
      if (++read === 1) await manager.streams.purge(deadStream('D2'));
    assert.ok(read < 200, 'the rest was purged before it came');
  });
});
