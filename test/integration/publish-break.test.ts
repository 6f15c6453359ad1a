import assert from 'node:assert/strict';
import { connect, Events, type NatsConnection } from 'nats';
import { natsPublishPort } from '../../src/core/nats/jetstream/pipeline.js';
import { Publisher } from '../../src/core/publisher/publisher.js';
import { withServer } from '../support/server.js';

/** More microtasks than the client needs between noticing a break and connecting again. */
const TURNS = 12;

describe('publishing at the moment of a break', () => {
  const server = withServer();

  /** Calls `callback` this many microtasks after the client has noticed the break. Other parts may not know of the break yet. */
  async function onBreak(connection: NatsConnection, turns: number, callback: () => void): Promise<void> {
    for await (const status of connection.status()) {
      if (status.type !== Events.Disconnect) continue;
      for (let turn = 0; turn < turns; turn++) await null;
      callback();
      return;
    }
  }

  it('messages are never reordered, whatever the moment of sending is', async function () {
    this.timeout(60_000);
    for (let turns = 0; turns < TURNS; turns++) {
      const stream = `BREAK${turns}`;
      const prefix = `test.break${turns}`;
      const connection = await connect({
        servers: server.url,
        reconnectTimeWait: 50,
        maxReconnectAttempts: -1,
      });
      try {
        const manager = await connection.jetstreamManager();
        await manager.streams.add({ name: stream, subjects: [`${prefix}.p.*`] });
        // Added before the publisher's listener, so it is called first.
        const broken = onBreak(connection, turns, () => publisher.send({ data: 'c' }));
        const layout = { prefix, partitions: 1 };
        const publisher = new Publisher({ layout, openPort: natsPublishPort(connection, { stream }) });
        await server.suspend();
        publisher.send({ data: 'a' });
        publisher.send({ data: 'b' });
        await server.kill();
        await server.start();
        await broken;
        await publisher.close();
        const stored = [1, 2, 3].map(async (seq) => (await manager.streams.getMessage(stream, { seq })).data);
        assert.equal(Buffer.concat(await Promise.all(stored)).toString(), 'abc', `after ${turns} turns`);
      } finally {
        await connection.close();
      }
    }
  });
});
