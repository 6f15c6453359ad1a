import assert from 'node:assert/strict';
import { textOf, withoutOrders } from '../../src/core/index.js';
import { localStream } from '../../src/core/testing/index.js';

describe('a local stream', () => {
  it('a local stream hands each key to one member, in order, and commits', async () => {
    const stream = localStream({ partitions: 4 });
    const seen = new Map<string | null, string[]>();
    const member = await stream.joinGroup({
      handler: ({ key, data }) => {
        seen.set(key, [...(seen.get(key) ?? []), textOf(data) ?? '']);
      },
    });
    await using publisher = await stream.createPublisher();
    for (let i = 0; i < 100; i++) publisher.send({ key: `k${i % 7}`, data: `${i}` });
    await stream.idle();
    assert.equal(seen.size, 7);
    for (const [key, texts] of seen)
      assert.deepEqual(
        texts,
        Array.from({ length: 100 }, (_, i) => i)
          .filter((i) => `k${i % 7}` === key)
          .map(String),
      );
    assert.deepEqual([member.counters.handled, stream.messages.length], [100, 100]);
    assert.ok(member.partitions.every(({ committed, position }) => committed === position));
    await member.leave();
  });

  it('in a local stream, a handler that assigns fields of its message fails visibly, as with a server', async () => {
    const stream = localStream({ partitions: 1 });
    await using publisher = await stream.createPublisher();
    const assigned = { sequence: 99, subject: 'x', data: new Uint8Array(0), timestampMs: 1, headers: {} };
    const refused: string[] = [];
    const member = await stream.joinGroup({
      handler: (message) => {
        for (const [field, value] of Object.entries(assigned))
          assert.throws(() => Object.assign(message, { [field]: value }), TypeError);
        refused.push(...Object.keys(assigned));
      },
      logger: false,
    });
    await publisher.publish({ data: 'x' });
    await stream.idle();
    assert.deepEqual(refused, Object.keys(assigned));
    assert.equal(member.partitions[0]?.position, 1);
    await member.leave();
  });

  it('joining a local stream resolves if the member leaves in `listen`, as with a server', async () => {
    const stream = localStream({ partitions: 2 });
    const member = await stream.joinGroup({ handler: () => {}, listen: (joining) => void joining.leave() });
    await member.closed;
    assert.deepEqual(member.partitions, []);
  });

  it('a local stream stores a received message that its handler publishes again without the orders in its headers', async () => {
    const stream = localStream({ partitions: 1 });
    const publisher = await stream.createPublisher({ dedupe: true });
    const member = await stream.joinGroup({
      handler: async (message) => {
        if (message.sequence > 1) return;
        await publisher.publish({
          data: message.data,
          key: message.key,
          headers: withoutOrders(message.headers()),
        });
      },
    });
    await publisher.publish({ key: 'user-7', data: 'hello' });
    await stream.idle();
    assert.deepEqual(
      stream.messages.map(({ key, data }) => [key, textOf(data)]),
      [
        ['user-7', 'hello'],
        ['user-7', 'hello'],
      ],
    );
    await member.leave();
    await publisher.close();
  });

  it('partitions move when a member joins, leaves, or crashes, and uncommitted messages are handled again', async () => {
    const stream = localStream({ partitions: 4 });
    const [first, second] = [[] as number[], [] as number[]];
    const one = await stream.joinGroup({ name: 'one', handler: ({ sequence }) => void first.push(sequence) });
    await one.ready;
    const two = await stream.joinGroup({
      name: 'two',
      handler: ({ sequence }) => void second.push(sequence),
    });
    await stream.until(() => one.partitions.length === 2 && two.partitions.length === 2);
    await using publisher = await stream.createPublisher();
    const all = () =>
      Promise.all([0, 1, 2, 3].map((partition) => publisher.publish({ partition, data: 'x' })));
    await all();
    // The messages are handled, but no time has passed in which they could be committed.
    assert.equal(first.length + second.length, 4);
    stream.crash(one);
    await stream.until(() => two.partitions.length === 4);
    assert.ok(stream.now > 500, `${stream.now}`);
    await stream.idle();
    assert.deepEqual([...new Set([...first, ...second])].sort(), [1, 2, 3, 4]);
    const three = await stream.joinGroup({ handler: () => {} });
    await two.leave();
    await stream.until(() => three.partitions.length === 4);
    await three.leave();
  });

  it('a local stream retries by its virtual time, and keeps dead letters', async () => {
    const stream = localStream({ partitions: 1 });
    const at: number[] = [];
    const member = await stream.joinGroup({
      handler: () => {
        at.push(stream.now);
        throw new Error('no way');
      },
      maxAttempts: 3,
      backoff: { baseMs: 10_000, maxMs: 10_000 },
      onFailure: 'dead-letter',
      logger: false,
    });
    await using publisher = await stream.createPublisher();
    await publisher.publish({ key: 'a', data: 'x' });
    await stream.idle();
    assert.equal(at.length, 3);
    assert.ok((at[2] ?? 0) - (at[0] ?? 0) >= 10_000);
    assert.deepEqual(
      stream.deadLetters.map(({ message, attempts, error }) => [message.key, attempts, error]),
      [['a', 3, 'no way']],
    );
    await member.leave();
  });

  it('virtual time stands still while a handler runs, unless the test advances the time', async () => {
    const stream = localStream({ partitions: 1 });
    const member = await stream.joinGroup({
      handler: (_message, { attempt, signal }) =>
        attempt > 1 ? undefined : new Promise((_resolve, reject) => signal.addEventListener('abort', reject)),
      handlerTimeoutMs: 5_000,
    });
    await using publisher = await stream.createPublisher();
    await publisher.publish({ data: 'x' });
    await stream.advance(4_000);
    assert.equal(member.counters.failed, 0);
    await stream.advance(2_000);
    assert.equal(member.counters.failed, 1);
    await stream.idle();
    assert.equal(member.counters.handled, 1);
    const startedAt = stream.now;
    const slow = await stream.joinGroup({
      group: 'slow',
      handler: () => new Promise((resolve) => setTimeout(resolve, 30)),
    });
    await stream.idle();
    assert.equal(slow.counters.handled, 1);
    assert.ok(stream.now - startedAt < 1_000);
    await Promise.all([member.leave(), slow.leave()]);
  });

  it('a local stream supports batches, states and loops', async () => {
    const stream = localStream({ partitions: 2 });
    const batches: number[][] = [];
    const batching = await stream.joinGroup({
      group: 'batches',
      acquire: (partition) => ({ partition, batches }),
      batchHandler: (messages, { state }) =>
        void state.batches.push([state.partition, ...messages.map(({ sequence }) => sequence)]),
      batch: { messages: 2, waitMs: 1_000 },
    });
    await using publisher = await stream.createPublisher({ dedupe: true });
    for (let i = 0; i < 3; i++) await publisher.publish({ partition: 1, data: 'x', id: 'once' });
    for (let i = 0; i < 2; i++) await publisher.publish({ partition: 1, data: 'x' });
    await stream.idle();
    assert.deepEqual(batches, [
      [1, 1, 2],
      [1, 3],
    ]);
    const looping = await stream.joinGroup({ group: 'loops' });
    const seen: number[] = [];
    for await (const [{ sequence }] of looping.messages()) if (seen.push(sequence) === 3) break;
    assert.deepEqual(seen, [1, 2, 3]);
    await batching.leave();
  });

  it('a loop of a local stream that ends leaves at once, even if messages are decoded asynchronously', async () => {
    const stream = localStream({ partitions: 4 });
    await using publisher = await stream.createPublisher();
    for (let i = 0; i < 16; i++) await publisher.publish({ partition: i % 4, data: 'x' });
    const member = await stream.joinGroup({ decode: async ({ sequence }) => sequence });
    const startedAt = stream.now;
    let seen = 0;
    for await (const [{ value, sequence }] of member.messages()) {
      assert.equal(value, sequence);
      if (++seen === 6) break;
    }
    assert.ok(stream.now - startedAt < 1_000, String(stream.now - startedAt));
  });

  it('a local stream is idle although a program has paused a partition, but not before a limited pause has ended', async () => {
    const stream = localStream({ partitions: 2 });
    const handled: number[] = [];
    const member = await stream.joinGroup({
      handler: (_, { partition }) => {
        if (handled.push(partition) === 1) throw new Error('once');
      },
      logger: false,
    });
    await using publisher = await stream.createPublisher();
    const both = () => Promise.all([0, 1].map((partition) => publisher.publish({ partition, data: 'x' })));
    member.pause(0);
    await both();
    await stream.idle();
    assert.deepEqual(handled, [1, 1]);
    member.resume();
    await stream.idle();
    assert.deepEqual(handled, [1, 1, 0]);
    member.pause(undefined, { forMs: 5_000 });
    await both();
    await stream.idle();
    assert.equal(handled.length, 5);
    await member.leave();
  });

  it('a handler in a local stream that never returns is tried again after its timeout', async () => {
    const stream = localStream({ partitions: 1 });
    let calls = 0;
    const member = await stream.joinGroup({
      handlerTimeoutMs: 1_000,
      handler: () => (calls++ === 0 ? new Promise(() => {}) : undefined),
      logger: false,
    });
    await using publisher = await stream.createPublisher();
    await publisher.publish({ data: 'x' });
    await stream.advance(1_250);
    await stream.idle();
    assert.deepEqual([calls, member.counters.failed, member.counters.handled], [2, 1, 1]);
    await member.leave();
  });

  it('a local stream remembers the id of a message for two minutes, like a server by default', async () => {
    const stream = localStream({ partitions: 1 });
    await using publisher = await stream.createPublisher();
    const duplicates: boolean[] = [];
    for (const waitMs of [0, 119_000, 1_000, 119_000]) {
      await stream.advance(waitMs);
      duplicates.push((await publisher.publish({ id: 'a', data: 'x' })).duplicate);
    }
    assert.deepEqual(duplicates, [false, true, false, true]);
    assert.equal(stream.messages.length, 2);
  });

  it('a local stream refuses options that need a server, and fails if a condition does not hold', async () => {
    assert.throws(() => localStream({ partitions: 0 }), { code: 'usage' });
    const misspelt: object = { partition: 2 };
    assert.throws(() => localStream(misspelt), /^NatspocError: localStream has no option "partition"/);
    const stream = localStream();
    const member = await stream.joinGroup({ handler: () => {} });
    await assert.rejects(member.seek(0, { kind: 'first' }), { code: 'usage' });
    await assert.rejects(
      stream.until(() => false, 1_000),
      /1000 ms of virtual time/,
    );
    await member.leave();
  });
});
