import assert from 'node:assert/strict';
import { connect, type NatsConnection } from 'nats';
import { createPublisher, joinGroup } from '../../src/core/index.js';
import { withServer } from '../support/server.js';
import { until } from '../support/until.js';

describe('concurrency', function () {
  this.timeout(60_000);
  const server = withServer();
  let connection: NatsConnection;

  before(async () => {
    connection = await connect({ servers: server.url });
  });
  after(() => connection.close());

  const publish = async (stream: string, keys: readonly string[]) => {
    const place = { connection, stream, prefix: `${stream}.e`, partitions: 1 };
    const publisher = await createPublisher(place);
    await Promise.all(keys.map((key) => publisher.publish({ key, data: 'x' })));
    await publisher.close();
    return place;
  };

  it('a concurrency of 1,000 handles 1,000 messages of one partition in parallel', async () => {
    const keys = Array.from({ length: 5_000 }, (_, i) => `k${i}`);
    const place = await publish('H1', keys);
    let running = 0;
    let most = 0;
    let handled = 0;
    const member = await joinGroup({
      ...place,
      concurrency: 1_000,
      handler: async () => {
        most = Math.max(most, ++running);
        await new Promise((resolve) => setTimeout(resolve, 50));
        running--;
        handled++;
      },
    });
    await until('all messages are handled', () => handled === keys.length);
    assert.equal(most, 1_000);
    await member.leave();
  });

  it('a concurrency of 1,000 is fully used even while the message of one key takes a long time', async () => {
    const keys = Array.from({ length: 8_000 }, (_, i) => `k${i % 4_000}`);
    const place = await publish('H3', keys);
    const others = keys.filter((key) => key !== 'k50').length;
    let release = (): void => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    let [running, handled, most] = [0, 0, 0];
    const member = await joinGroup({
      ...place,
      concurrency: 1_000,
      handler: async ({ key }) => {
        if (key === 'k50') return released;
        // Counts only messages far after the slow one.
        if (handled > 3_000) most = Math.max(most, running + 2);
        running++;
        await new Promise((resolve) => setTimeout(resolve, 50));
        running--;
        handled++;
        return undefined;
      },
    });
    await until('all other messages are handled', () => handled === others);
    assert.equal(most, 1_000);
    release();
    await member.leave();
  });

  it('maxConcurrency limits the calls of all partitions together', async () => {
    const place = { connection, stream: 'H4', prefix: 'H4.e', partitions: 4 };
    const publisher = await createPublisher(place);
    await Promise.all(Array.from({ length: 200 }, (_, i) => publisher.publish({ key: `k${i}`, data: 'x' })));
    await publisher.close();
    let [running, most, handled] = [0, 0, 0];
    const member = await joinGroup({
      ...place,
      concurrency: 10,
      maxConcurrency: 5,
      handler: async () => {
        most = Math.max(most, ++running);
        await new Promise((resolve) => setTimeout(resolve, 2));
        running--;
        handled++;
      },
    });
    await until('all messages are handled', () => handled === 200);
    assert.equal(most, 5);
    await member.leave();
  });

  it('a slow message does not delay messages of other keys', async () => {
    const keys = Array.from({ length: 4_000 }, (_, i) => (i === 0 || i % 10 === 5 ? 'slow' : `k${i % 50}`));
    const place = await publish('H2', keys);
    const others = keys.filter((key) => key !== 'slow').length;
    let handled = 0;
    let release = (): void => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const member = await joinGroup({
      ...place,
      concurrency: 16,
      handler: async ({ key }) => {
        if (key === 'slow') await released;
        else {
          await new Promise((resolve) => setTimeout(resolve, 1));
          handled++;
        }
      },
    });
    await until('all other messages are handled', () => handled === others);
    release();
    await until('the slow messages are handled', () => member.partitions[0]?.caughtUp === true);
    await member.leave();
  });
});
