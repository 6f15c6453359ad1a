import assert from 'node:assert/strict';
import { partitionOf, type StreamMessage, textOf } from '../../src/core/index.js';
import { type LocalStream, localStream } from '../../src/core/testing/index.js';

/** Publishes orders of some customers, under the program's own subjects. Order i belongs to customer i modulo 7. */
async function publishOrders(stream: LocalStream, count: number, what = 'created'): Promise<void> {
  await using publisher = await stream.createPublisher({ ownSubjects: true });
  for (let i = 0; i < count; i++)
    await publisher.publish({
      subject: `orders.c${i % 7}.${what}`,
      headers: { Customer: `c${i % 7}` },
      data: JSON.stringify({ customer: { id: `c${i % 7}` }, i }),
    });
}

const byNumber = (one: number, other: number): number => one - other;

const customerOf = {
  name: 'customer',
  of: ({ subject }: { subject: string }) => subject.split('.')[1] ?? null,
};

describe('a local stream with subjects of its own', () => {
  for (const key of ['subject:2', 'header:Customer', 'json:customer.id', customerOf])
    it(`a local stream hands each key of ${typeof key === 'string' ? key : 'a function'} to one partition, in order`, async () => {
      const stream = localStream({ subjects: ['orders.>'] });
      await publishOrders(stream, 70);
      const seen = new Map<string, { at: number[]; in: Set<number> }>();
      const join = () =>
        stream.joinGroup({
          key,
          partitions: 16,
          handler: ({ key: found, data }, { partition }) => {
            const { i } = JSON.parse(textOf(data) ?? '');
            const of = seen.get(found ?? '') ?? { at: [], in: new Set() };
            seen.set(found ?? '', of);
            of.at.push(i);
            of.in.add(partition);
          },
        });
      const [one, two] = [await join(), await join()];
      await publishOrders(stream, 70);
      await stream.idle();
      assert.deepEqual([one.partitions.length, two.partitions.length], [8, 8]);
      assert.deepEqual([...seen.keys()].sort(), ['c0', 'c1', 'c2', 'c3', 'c4', 'c5', 'c6']);
      for (const [customer, { at, in: partitions }] of seen) {
        const once = Array.from({ length: 10 }, (_, n) => Number(customer.slice(1)) + 7 * n);
        assert.deepEqual(at, [...once, ...once]);
        assert.deepEqual([...partitions], [partitionOf(customer, 16)]);
      }
      assert.equal(one.counters.handled + two.counters.handled, 140);
      await Promise.all([one.leave(), two.leave()]);
    });

  it('a keyed group handles the subjects of its filter, and positions and partitions move from a member that crashed', async () => {
    const stream = localStream({ subjects: ['orders.*.created', 'orders.*.paid'] });
    const handled = new Map<number, number>();
    const join = () =>
      stream.joinGroup({
        key: 'subject:2',
        filter: 'orders.*.paid',
        partitions: 4,
        handler: ({ sequence, subject }) => {
          assert.match(subject, /paid$/);
          handled.set(sequence, (handled.get(sequence) ?? 0) + 1);
        },
      });
    const [one, two] = [await join(), await join()];
    await stream.until(() => two.partitions.length === 2);
    await publishOrders(stream, 20, 'created');
    await publishOrders(stream, 20, 'paid');
    await stream.until(() => handled.size === 20);
    stream.crash(one);
    await publishOrders(stream, 20, 'created');
    await publishOrders(stream, 20, 'paid');
    await stream.idle();
    assert.equal(two.partitions.length, 4);
    assert.equal(handled.size, 40);
    await two.leave();
  });

  it('if a key function throws, every partition stops before that message and says so, and no message is lost', async () => {
    const stream = localStream({ subjects: ['orders.>'] });
    await publishOrders(stream, 20);
    const handled: number[] = [];
    const reasons = new Set<string>();
    const join = (of: (message: StreamMessage) => string | null) =>
      stream.joinGroup({
        key: { name: 'customer', of },
        partitions: 4,
        logger: false,
        handler: ({ sequence }) => void handled.push(sequence),
      });
    const member = await join((message) => {
      if (message.sequence === 8) throw new TypeError('no customer');
      return customerOf.of(message);
    });
    member.on('unread', ({ reason }) => reasons.add(reason));
    await stream.until(() => reasons.size > 0, 1_000);
    assert.match([...reasons][0] ?? '', /^the key function customer threw "no customer" for message 8/);
    await stream.until(() => member.problems().length === 4);
    assert.deepEqual(handled.sort(byNumber), [1, 2, 3, 4, 5, 6, 7]);
    await member.leave();
    const mended = await join(customerOf.of);
    await stream.idle();
    assert.deepEqual(
      handled.sort(byNumber),
      stream.messages.map(({ sequence }) => sequence),
    );
    await mended.leave();
  });

  it('a keyed group keeps the layout of its first member, and refuses another layout', async () => {
    const stream = localStream({ subjects: ['orders.>'] });
    await assert.rejects(stream.joinGroup({ handler: () => {} }), {
      code: 'layout-mismatch',
      message: /orders\.>.*give the group a key/,
    });
    await assert.rejects(stream.joinGroup({ key: 'subject:2', filter: 'bills.>', handler: () => {} }), {
      code: 'config',
      message: /no subjects that match bills\.>/,
    });
    await assert.rejects(stream.createPublisher(), { code: 'layout-mismatch', message: /ownSubjects/ });
    await using publisher = await stream.createPublisher({ ownSubjects: true });
    await assert.rejects(publisher.publish({ subject: 'orders.\ud800.created', data: 'x' }), {
      code: 'usage',
      message: /^subject: "orders\.\\ud800\.created" is not a subject/,
    });
    const first = await stream.joinGroup({ key: customerOf, partitions: 8, handler: () => {} });
    await assert.rejects(stream.joinGroup({ key: 'subject:1', handler: () => {} }), {
      code: 'layout-mismatch',
      message: /8 partitions by function:customer, but .* by subject:1/,
    });
    await assert.rejects(stream.joinGroup({ handler: () => {} }), {
      code: 'config',
      message: /only a program that joins with this function/,
    });
    await first.leave();
    assert.throws(() => localStream({ subjects: ['orders.'] }), { code: 'usage' });
    assert.throws(() => localStream({ subjects: [] }), { code: 'usage' });
    assert.throws(() => localStream({ subjects: ['a'], partitions: 4 }), { code: 'usage' });
  });

  it('a local stream refuses a subject to which it does not listen', async () => {
    const stream = localStream({ subjects: ['orders.*'] });
    await using publisher = await stream.createPublisher({ ownSubjects: true });
    await assert.rejects(publisher.publish({ subject: 'bills.1', data: 'x' }), { code: 'usage' });
    await assert.rejects(publisher.publish({ key: 'a', data: 'x' }), { code: 'usage' });
    await publisher.publish({ subject: 'orders.1', data: 'x' });
    assert.deepEqual(
      stream.messages.map(({ subject }) => subject),
      ['orders.1'],
    );
  });

  it('a keyed group stores messages without a key as dead letters if requested', async () => {
    const stream = localStream({ subjects: ['orders.>'] });
    await using publisher = await stream.createPublisher({ ownSubjects: true });
    const handled: string[] = [];
    const member = await stream.joinGroup({
      key: 'json:id',
      withoutKey: 'dead-letter',
      handler: ({ key }) => void handled.push(key ?? ''),
      logger: false,
    });
    for (const data of ['{"id":"a"}', 'no JSON', '{"id":7}'])
      await publisher.publish({ subject: 'orders.x', data });
    await stream.idle();
    assert.deepEqual(handled, ['a', '7']);
    assert.equal(member.counters.withoutKey, 1);
    assert.deepEqual(
      stream.deadLetters.map(({ message }) => textOf(message.data)),
      ['no JSON'],
    );
    await member.leave();
  });

  it('a local stream has keyed groups together with groups of its own layout', async () => {
    const stream = localStream({ partitions: 2 });
    const keys: (string | null)[] = [];
    const keyed = await stream.joinGroup({
      group: 'keyed',
      key: 'header:Tenant',
      partitions: 3,
      handler: ({ key }) => void keys.push(key),
    });
    const own = await stream.joinGroup({ handler: () => {} });
    await using publisher = await stream.createPublisher();
    for (let i = 0; i < 6; i++)
      await publisher.publish({ key: `k${i}`, headers: { Tenant: `t${i % 2}` }, data: 'x' });
    await stream.idle();
    assert.deepEqual([keyed.partitions.length, own.partitions.length], [3, 2]);
    assert.deepEqual(keys.sort(), ['t0', 't0', 't0', 't1', 't1', 't1']);
    await assert.rejects(stream.joinGroup({ key: 'header:Tenant', handler: () => {} }), {
      code: 'layout-mismatch',
    });
    await assert.rejects(stream.joinGroup({ partitions: 3, handler: () => {} }), { code: 'layout-mismatch' });
    await Promise.all([keyed.leave(), own.leave()]);
  });
});
