import assert from 'node:assert/strict';
import { joinGroup, NatspocError, type StandardSchema, textOf } from '../../src/core/index.js';
import { until } from '../support/until.js';
import { withLibrary } from '../support/with-library.js';

const NUMBER: StandardSchema<number> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value) =>
      typeof value === 'number' ? { value } : { issues: [{ message: 'is not a number' }] },
  },
};

describe('a member without a handler', function () {
  this.timeout(60_000);
  const stage = withLibrary();

  const texts = (count: number): [string, string][] =>
    Array.from({ length: count }, (_, i) => [`k${i}`, String(i)]);

  it('a loop gets the messages of a member, and a message counts as handled when the loop asks for the next message', async () => {
    await stage.publish(texts(40));
    const member = await stage.join({});
    const seen: number[] = [];
    for await (const [message, { partition, epoch }] of member.messages()) {
      assert.equal(member.counters.handled, seen.length);
      assert.ok(partition >= 0 && epoch > 0);
      seen.push(Number(textOf(message.data)));
      if (seen.length === 40) void member.leave();
    }
    assert.equal(new Set(seen).size, 40);
    const again = await stage.join({});
    await again.ready;
    assert.equal(
      again.partitions.reduce((sum, { lag }) => sum + lag, 0),
      0,
      'the last message is handled too',
    );
  });

  it('a member leaves when its loop ends, and the next owner gets the message at which the loop ended', async () => {
    await stage.publish(texts(3), 1);
    // A member that waits for this drain timeout fails the test.
    const first = await stage.join({ drainTimeoutMs: 300_000 }, 1);
    const seen: string[] = [];
    for await (const [{ data }] of first.messages()) {
      seen.push(textOf(data) ?? '');
      if (seen.length === 2) break;
    }
    await first.closed;
    assert.equal(first.counters.failed, 0);
    const second = await stage.join({}, 1);
    const thrown = new Error('enough');
    await assert.rejects(async () => {
      for await (const [{ data }] of second.messages()) {
        seen.push(textOf(data) ?? '');
        if (seen.length === 4) throw thrown;
      }
    }, thrown);
    assert.deepEqual(seen, ['0', '1', '1', '2']);
  });

  it('loops share the messages of a member, in order in each partition', async () => {
    await stage.publish(texts(100));
    const member = await stage.join({});
    const byPartition = new Map<number, number[]>();
    let [seen, running, most] = [0, 0, 0];
    const loop = async () => {
      for await (const [{ sequence }, { partition }] of member.messages()) {
        most = Math.max(most, ++running);
        byPartition.set(partition, [...(byPartition.get(partition) ?? []), sequence]);
        await new Promise((resolve) => setTimeout(resolve, 2));
        running--;
        if (++seen === 100) void member.leave();
      }
    };
    await Promise.all([loop(), loop(), loop()]);
    assert.ok(most > 1 && most <= 3, String(most));
    for (const sequences of byPartition.values())
      assert.deepEqual(
        sequences,
        [...sequences].sort((a, b) => a - b),
      );
  });

  it('a loop has typed values and states', async () => {
    await stage.publish(
      [
        ['a', '1'],
        ['a', '"x"'],
        ['a', '2'],
      ],
      1,
    );
    const member = await joinGroup({
      ...stage.place(1),
      logger: false,
      schema: NUMBER,
      acquire: () => ({ sum: 0 }),
      onFailure: 'skip',
    });
    for await (const [{ value }, { state }] of member.messages()) {
      state.sum += value;
      if (state.sum === 3) void member.leave();
    }
    assert.deepEqual(member.counters, { ...member.counters, handled: 3, skipped: 1 });
  });

  it('a member hands over at once while no loop waits for a message', async () => {
    await stage.publish(texts(20));
    // A member that waits for this drain timeout fails the test.
    const first = await stage.join({ drainTimeoutMs: 300_000 });
    await first.ready;
    const second = await stage.join({});
    await until('they share', () => second.partitions.length === 2);
  });

  it('loops end with the error that ends their member', async () => {
    const member = await stage.join({}, 1);
    await member.ready;
    const loop = (async () => {
      for await (const _ of member.messages());
    })();
    const manager = await stage.connection.jetstreamManager();
    await manager.streams.delete(`KV_${stage.stream}_leases`);
    await assert.rejects(loop, NatspocError);
  });

  it('only a member without a handler has messages()', async () => {
    const member = await stage.join({ handler: () => {} });
    assert.throws(() => member.messages(), { code: 'usage' });
  });
});

describe('a member of the library', function () {
  this.timeout(60_000);
  const stage = withLibrary();

  it('a member is ready when all partitions have owners and the member has taken its own partitions over', async () => {
    const member = await stage.join({ handler: () => {} });
    await member.ready;
    assert.deepEqual(
      member.partitions.map(({ state }) => state),
      ['running', 'running', 'running', 'running'],
    );
    assert.deepEqual(member.problems(), []);
    await member.leave();
    assert.deepEqual(member.problems(), ['not in the group']);
    const other = await stage.join({ handler: () => {} });
    const leaving = other.leave();
    await assert.rejects(other.ready, { code: 'failed' });
    await leaving;
  });

  it('a member pauses a partition, and resumes it', async () => {
    const handled: number[] = [];
    const member = await stage.join({ handler: (_message, { partition }) => void handled.push(partition) });
    await member.ready;
    member.pause(2);
    await stage.publish(Array.from({ length: 40 }, (_, i) => [`k${i}`, 'x']));
    const lag = () => member.partitions.find(({ partition }) => partition === 2)?.lag ?? 0;
    await until('the other messages are handled', () => handled.length + lag() === 40 && lag() > 0);
    assert.ok(!handled.includes(2));
    assert.equal(member.isSettled, true);
    member.resume(2);
    await until('all messages are handled', () => handled.length === 40);
  });

  it('a member pauses all partitions for a time', async () => {
    let handled = 0;
    const member = await stage.join({ handler: () => void handled++ });
    await member.ready;
    const pausedAt = performance.now();
    member.pause(undefined, { forMs: 500 });
    await stage.publish([
      ['a', 'x'],
      ['b', 'y'],
    ]);
    await until('the messages are handled', () => handled === 2);
    assert.ok(performance.now() - pausedAt >= 490);
  });

  it('a member seeks back, and handles messages again', async () => {
    const handled: number[] = [];
    const member = await stage.join({ handler: ({ sequence }) => void handled.push(sequence) }, 1);
    await stage.publish(
      [
        ['a', 'x'],
        ['a', 'y'],
        ['a', 'z'],
      ],
      1,
    );
    await until('all messages are handled', () => handled.length === 3);
    const [outcome] = await member.seek(0, { kind: 'sequence', sequence: 2 });
    assert.deepEqual([outcome?.moved, outcome?.to, outcome?.repeated], [true, 1, 2]);
    await until('two messages are handled again', () => handled.length === 5);
    assert.deepEqual(handled, [1, 2, 3, 2, 3]);
    await assert.rejects(
      member.seek(7, { kind: 'first' }),
      /^NatspocError: There is no partition 7: the partitions are 0 to 0\.$/,
    );
  });
});
