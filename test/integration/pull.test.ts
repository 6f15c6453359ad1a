import assert from 'node:assert/strict';
import {
  AckPolicy,
  connect,
  createInbox,
  DeliverPolicy,
  headers,
  type JetStreamManager,
  type NatsConnection,
} from 'nats';
import type { NatsHandles } from '../../src/core/nats/client/handles.js';
import { countsDrops } from '../../src/core/nats/client/server-version.js';
import { PullReader } from '../../src/core/nats/jetstream/pull.js';
import type { Rest } from '../../src/core/ports/index.js';
import { TcpProxy } from '../support/proxy.js';
import { withServer } from '../support/server.js';
import { until } from '../support/until.js';

const KIB = 1_024;
const HEARTBEAT_MS = 500;

describe('a pull reader', function () {
  this.timeout(60_000);
  const server = withServer();
  let connection: NatsConnection;
  let manager: JetStreamManager;
  let handles: NatsHandles;
  let streams = 0;
  let stream: string;

  before(async () => {
    connection = await connect({ servers: server.url });
    manager = await connection.jetstreamManager();
    handles = { connection, manager, inboxPrefix: undefined };
  });
  after(() => connection.close());
  beforeEach(async () => {
    stream = `P${++streams}`;
    await manager.streams.add({ name: stream, subjects: [`${stream}.>`] });
  });

  const store = async (...sizes: number[]) => {
    const jetstream = connection.jetstream();
    for (const size of sizes) await jetstream.publish(`${stream}.a`, new Uint8Array(size));
  };

  /** Opens a reader. Its messages are held until `release` is called. */
  const open = async (
    window: { messages: number; bytes: number },
    held = 0,
    { over = handles, arrived = (_reader: PullReader, _messages: number): void => {} } = {},
  ) => {
    const sizes: number[] = [];
    const gone: number[] = [];
    const faults: string[] = [];
    const rests: (Rest | undefined)[] = [];
    const waiting: number[] = [];
    const opened = await PullReader.open(
      over,
      {
        stream,
        name: 'r',
        filter: `${stream}.a`,
        start: { deliver_policy: DeliverPolicy.All },
        window,
        heartbeatMs: HEARTBEAT_MS,
      },
      {
        message: (message) => {
          sizes.push(message.data.length);
          rests.push(opened.reader.rested);
          waiting.push(opened.reader.pending);
          arrived(opened.reader, sizes.length);
        },
        gone: (messages) => gone.push(messages),
        fault: (reason) => faults.push(reason),
      },
    );
    opened.reader.start(held);
    return { ...opened, sizes, gone, faults, rests, waiting };
  };
  const count = (total: number) => Array.from({ length: total }, () => 100);

  it('a reader delivers no more than its window until handled messages are released', async () => {
    await store(...count(100));
    const { reader, sizes, faults, pending } = await open({ messages: 10, bytes: 1_000_000 });
    assert.equal(pending, 100);
    await until('the window is full', () => sizes.length === 10);
    await connection.flush();
    assert.equal(sizes.length, 10);
    assert.equal(reader.pending, 90);
    reader.release(10);
    await until('another ten arrive', () => sizes.length === 20);
    reader.close();
    assert.deepEqual(faults, []);
  });

  it('a full window does not count as silence of the server', async () => {
    await store(...count(20));
    const { reader, sizes, faults } = await open({ messages: 10, bytes: 1_000_000 });
    await until('the window is full', () => sizes.length === 10);
    // The server sends heartbeats only while a request is pending. A reader with a full window has none, so the heartbeats of another
    // request are counted.
    const { name } = await manager.consumers.add(stream, {
      ack_policy: AckPolicy.None,
      filter_subject: `${stream}.b`,
    });
    const inbox = createInbox();
    let heartbeats = 0;
    connection.subscribe(inbox, {
      callback: (_error, { headers }) => void (headers?.code === 100 && heartbeats++),
    });
    const request = { batch: 1, expires: 30_000_000_000, idle_heartbeat: HEARTBEAT_MS * 1_000_000 };
    connection.publish(`$JS.API.CONSUMER.MSG.NEXT.${stream}.${name}`, JSON.stringify(request), {
      reply: inbox,
    });
    await until('such a long silence would count as a fault', () => heartbeats === 4);
    reader.release(10);
    await until('the rest has arrived', () => sizes.length === 20);
    assert.deepEqual(faults, []);
    reader.close();
  });

  it('a reader ends if the connection is closed before its messages are released', async () => {
    const own = await connect({ servers: server.url });
    const faults: string[] = [];
    const sizes: number[] = [];
    await store(...count(20));
    const { reader } = await PullReader.open(
      { connection: own, manager: await own.jetstreamManager(), inboxPrefix: undefined },
      {
        stream,
        name: 'r',
        filter: `${stream}.a`,
        start: { deliver_policy: DeliverPolicy.All },
        window: { messages: 10, bytes: 1_000_000 },
        heartbeatMs: HEARTBEAT_MS,
      },
      { message: (message) => sizes.push(message.data.length), fault: (reason) => faults.push(reason) },
    );
    reader.start();
    await until('the window is full', () => sizes.length === 10);
    await own.close();
    reader.release(10);
    assert.deepEqual(faults, ['CONNECTION_CLOSED']);
  });

  it('a reader marks each delivery whose count of waiting messages may include dropped messages', async () => {
    await store(...count(3));
    const { reader, rests, faults } = await open({ messages: 10, bytes: 1_000_000 });
    await until('the stored messages have arrived', () => rests.length === 3);
    await store(100);
    await until('the last message has arrived', () => rests.length === 4);
    // The first delivery is ignored. Before its first request, the reader knew nothing.
    const isDoubtful = rests.slice(1).map((rest) => rest?.isDoubtful);
    const old = countsDrops(connection) ? undefined : true;
    assert.deepEqual(isDoubtful, [old, old, undefined]);
    assert.deepEqual(faults, []);
    reader.close();
  });

  it('a reader whose process was stopped does not trust that a request was pending before the last messages', async () => {
    const proxy = await TcpProxy.start(server.port);
    const own = await connect({ servers: proxy.url });
    try {
      const over = { connection: own, manager: await own.jetstreamManager(), inboxPrefix: undefined };
      const { reader, rests, faults } = await open({ messages: 10, bytes: 1_000_000 }, 0, {
        over,
        // The second request is sent while five messages of the first request are still unread.
        arrived: (opened, messages) => messages === 5 && opened.release(5),
      });
      await own.flush();
      proxy.hold();
      // The first ten messages are delivered. The other ten are dropped while no request is pending.
      await store(...count(20));
      await until('the first request has ended', async () => {
        const { delivered } = await manager.consumers.info(stream, 'r');
        return delivered.consumer_seq === 10;
      });
      await manager.streams.purge(stream);
      await store(100, 100);
      proxy.pass();
      await until('the messages after the dropped messages have arrived', () => rests.length === 12);
      // Only rests of unknown start count here. Some servers count dropped messages as waiting, and deliver later than they store. With
      // these, empty rests can occur, too.
      assert.deepEqual(
        rests.slice(1, 11).map((rest) => rest?.from === Number.NEGATIVE_INFINITY),
        [...Array(9).fill(false), true],
      );
      reader.close();
      assert.deepEqual(faults, []);
    } finally {
      await own.close();
      await proxy.stop();
    }
  });

  it('the count of waiting messages is wrong only on those servers for which the reader expects a wrong count', async () => {
    await store(...count(20));
    const { reader, waiting } = await open({ messages: 10, bytes: 1_000_000 });
    await until('the window is full', () => waiting.length === 10);
    assert.equal(waiting.at(-1), 10);
    await manager.streams.purge(stream, { seq: 19 });
    reader.release(10);
    await until('the message after the dropped messages has arrived', () => waiting.length > 10);
    assert.equal(waiting[10], countsDrops(connection) ? 1 : 9);
    reader.close();
  });

  it('a reader reports that waiting messages are gone', async () => {
    await store(...count(100));
    const { reader, sizes, gone, faults } = await open({ messages: 10, bytes: 1_000_000 });
    await until('the window is full', () => sizes.length === 10);
    await manager.streams.purge(stream);
    assert.equal(reader.pending, 90);
    reader.release(10);
    await until('the loss is reported', () => gone.length > 0);
    assert.deepEqual([gone, reader.pending], [[90], 0]);
    await store(100);
    await until('a later message arrives', () => sizes.length === 11);
    reader.close();
    assert.deepEqual(faults, []);
  });

  it('a reader counts the messages that an earlier reader delivered until they are released', async () => {
    await store(...count(20));
    const { reader, sizes, faults } = await open({ messages: 10, bytes: 1_000_000 }, 7);
    await connection.flush();
    assert.equal(sizes.length, 0, 'less than half of the window is free');
    reader.release(2);
    await until('the free room is filled', () => sizes.length === 5);
    await connection.flush();
    assert.equal(sizes.length, 5);
    reader.release(10);
    await until('another full window arrives', () => sizes.length === 15);
    reader.close();
    assert.deepEqual(faults, []);
  });

  it('a reader keeps to a window of bytes, and delivers messages of any size', async () => {
    await store(...Array.from({ length: 60 }, (_, i) => (i % 3 === 0 ? 30 * KIB : 100)));
    const { reader, sizes, faults } = await open({ messages: 1_000, bytes: 64 * KIB });
    let released = 0;
    let most = 0;
    await until('all messages have arrived', () => {
      const held = sizes.slice(released);
      most = Math.max(
        most,
        held.reduce((sum, size) => sum + size, 0),
      );
      reader.release(held.length);
      released = sizes.length;
      return sizes.length === 60;
    });
    assert.deepEqual(faults, []);
    // Two requests may be in flight, each with the whole window.
    assert.ok(most <= 2 * 64 * KIB, `${most} bytes held at a time`);
    reader.close();
  });

  it('headers count in a window of bytes', async () => {
    const large = headers();
    large.set('X', 'x'.repeat(8 * KIB));
    const jetstream = connection.jetstream();
    for (let i = 0; i < 100; i++) await jetstream.publish(`${stream}.a`, 'x', { headers: large });
    const { reader, sizes, faults } = await open({ messages: 1_000, bytes: 64 * KIB });
    await until('the window is full', () => sizes.length >= 7);
    // After these round trips all earlier requests are answered.
    for (let i = 0; i < 3; i++) await connection.flush();
    assert.ok(sizes.length <= 2 * 8, `${sizes.length} messages held`);
    let released = 0;
    await until('all messages have arrived', () => {
      reader.release(sizes.length - released);
      released = sizes.length;
      return sizes.length === 100;
    });
    assert.deepEqual(faults, []);
    reader.close();
  });

  it('a reader requests no more than its changed consumer allows', async () => {
    const { reader, sizes, faults } = await open({ messages: 1_000, bytes: 1_000_000 });
    const { config } = await manager.consumers.info(stream, 'r');
    await manager.consumers.update(stream, 'r', { ...config, max_batch: 5 });
    await store(...count(100));
    let released = 0;
    await until('all messages have arrived', () => {
      reader.release(sizes.length - released);
      released = sizes.length;
      return sizes.length === 100;
    });
    assert.deepEqual(faults, []);
    reader.close();
  });

  it('a reader gets past a message that is larger than its window', async () => {
    await store(100, 300 * KIB, 100, 300 * KIB, 300 * KIB, 100);
    const { reader, sizes, faults } = await open({ messages: 100, bytes: 64 * KIB });
    let released = 0;
    await until('all messages have arrived', () => {
      reader.release(sizes.length - released);
      released = sizes.length;
      return sizes.length === 6;
    });
    assert.deepEqual(sizes, [100, 300 * KIB, 100, 300 * KIB, 300 * KIB, 100]);
    assert.deepEqual(faults, []);
    await store(100, 300 * KIB, 100);
    await until('later messages have arrived', () => {
      reader.release(sizes.length - released);
      released = sizes.length;
      return sizes.length === 9;
    });
    reader.close();
  });

  it('a reader waits for later messages, even after a request has expired', async () => {
    const { reader, sizes, faults } = await open({ messages: 10, bytes: 1_000_000 });
    await store(100);
    await until('the first message has arrived', () => sizes.length === 1);
    reader.release(1);
    await store(...count(25));
    await until('all messages have arrived', () => {
      if (sizes.length > 1) reader.release(1);
      return sizes.length === 26;
    });
    reader.close();
    assert.deepEqual(faults, []);
  });

  it('a reader reports that its consumer was deleted', async () => {
    const { sizes, faults } = await open({ messages: 10, bytes: 1_000_000 });
    await store(100);
    await until('the reader works', () => sizes.length === 1);
    await manager.consumers.delete(stream, 'r');
    await until('the reader reports a fault', () => faults.length === 1);
    await store(100);
    await connection.flush();
    assert.equal(sizes.length, 1);
    assert.equal(faults.length, 1);
  });

  it('a reader reports that the server is silent', async () => {
    const { faults } = await open({ messages: 10, bytes: 1_000_000 });
    await server.suspend();
    try {
      await until('the reader reports a fault', () => faults.length === 1);
      assert.match(faults[0] ?? '', /silent/);
    } finally {
      server.resume();
    }
  });
});
