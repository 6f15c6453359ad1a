import assert from 'node:assert/strict';
import { once } from 'node:events';
import { joinGroup, StopConsuming } from '../../src/core/index.js';
import { until } from '../support/until.js';
import { withLibrary } from '../support/with-library.js';

describe('the state of a partition', function () {
  this.timeout(60_000);
  const stage = withLibrary();

  it('a state is acquired before the first message, and released after the last message and before its commit', async () => {
    await stage.publish(
      [
        ['a', '1'],
        ['a', '2'],
      ],
      1,
    );
    const log: string[] = [];
    const member = await joinGroup({
      ...stage.place(1),
      logger: false,
      commitIntervalMs: 60_000,
      acquire: async (partition, { epoch }) => {
        await new Promise((resolve) => setTimeout(resolve, 50));
        log.push(`acquire ${partition}`);
        return { sum: 0, epoch };
      },
      handler: ({ data }, { state, epoch }) => {
        assert.equal(state.epoch, epoch);
        state.sum += Number(Buffer.from(data).toString());
        log.push(`sum ${state.sum}`);
      },
      release: async (partition, { sum }) => {
        await new Promise((resolve) => setTimeout(resolve, 50));
        log.push(`release ${partition} with ${sum}`);
      },
    });
    stage.members.push(member);
    member.on('committed', ({ sequence }) => log.push(`committed ${sequence}`));
    await until('both messages are handled', () => log.includes('sum 3'));
    await until('the message is committed', () => log.includes('committed 2'));
    await stage.publish([['a', '4']], 1);
    await until('the third message is handled', () => log.includes('sum 7'));
    await member.leave();
    assert.deepEqual(
      log.filter((line) => !line.startsWith('committed')),
      ['acquire 0', 'sum 1', 'sum 3', 'sum 7', 'release 0 with 7'],
    );
    assert.equal(log.at(-1), 'committed 3', log.join());
  });

  it('a state moves with its partition: the next owner acquires it after the release', async () => {
    const log: string[] = [];
    const hooks = (name: string) => ({
      name,
      handler: () => {},
      acquire: (partition: number) => void log.push(`${name} acquires ${partition}`),
      release: (partition: number) => void log.push(`${name} releases ${partition}`),
    });
    const first = await stage.join(hooks('one'));
    await until('the first member has all partitions', () => first.partitions.length === 4);
    const second = await stage.join(hooks('two'));
    await until('both have partitions', () => log.filter((line) => line.startsWith('two')).length === 2);
    for (const { partition } of second.partitions) {
      const released = log.indexOf(`one releases ${partition}`);
      assert.ok(released >= 0 && released < log.indexOf(`two acquires ${partition}`), log.join());
    }
    assert.equal(log.filter((line) => line.startsWith('one acquires')).length, 4);
  });

  it('a state survives if its partition starts again under the same epoch', async () => {
    await stage.publish([['a', 'x']], 1);
    let acquired = 0;
    const handled: number[] = [];
    const member = await stage.join(
      { acquire: () => ++acquired as never, handler: ({ sequence }) => void handled.push(sequence) },
      1,
    );
    await until('the message is handled', () => handled.length === 1);
    const manager = await stage.connection.jetstreamManager();
    const [reader] = await manager.consumers.list(stage.stream).next();
    assert.ok(reader);
    const retrying = once(member, 'retrying');
    await manager.consumers.delete(stage.stream, reader.name);
    await stage.publish([['a', 'y']], 1);
    await retrying;
    await until('the next message is handled', () => handled.length === 2);
    assert.equal(acquired, 1);
  });

  it('acquire is called again if it fails', async () => {
    await stage.publish([['a', 'x']], 1);
    let tries = 0;
    const states: unknown[] = [];
    const member = await stage.join(
      {
        acquire: async () => {
          if (++tries === 1) throw new Error('not yet');
          return 'here' as never;
        },
        handler: (_message, { state }) => void states.push(state),
      },
      1,
    );
    await until('the message is handled', () => states.length === 1);
    assert.deepEqual([tries, states], [2, ['here']]);
    assert.equal(member.counters.failed, 0);
  });

  it('acquire may report that no partition can be handled, and then the member leaves', async () => {
    const acquire = () => {
      throw new StopConsuming('No disk.');
    };
    const member = await stage.join({ acquire, handler: () => {} }, 1);
    await assert.rejects(member.closed, /The handler has stopped: No disk\.$/);
  });

  it('messages are not committed if the release of their state fails, and the next owner handles them again', async () => {
    await stage.publish([['a', 'x']], 1);
    const seen: number[] = [];
    const handler = ({ sequence }: { sequence: number }) => void seen.push(sequence);
    const committed: number[] = [];
    const release = async () => {
      throw new Error('disk full');
    };
    const first = await stage.join(
      { handler, release, commitIntervalMs: 60_000, acquire: () => undefined },
      1,
    );
    first.on('committed', ({ sequence }) => committed.push(sequence));
    await until('the message is committed', () => committed.length === 1);
    await stage.publish([['a', 'y']], 1);
    await until('the second message is handled', () => seen.length === 2);
    const uncommitted = once(first, 'uncommitted');
    await first.leave();
    assert.deepEqual((await uncommitted)[0], { partition: 0, after: 1, upTo: 2 });
    await stage.join({ handler }, 1);
    await until('the message is handled again', () => seen.length === 3);
    assert.deepEqual(seen, [1, 2, 2]);
  });

  it('a state is acquired again after a failure, even if acquire throws synchronously', async () => {
    await stage.publish([['a', 'x']], 1);
    let calls = 0;
    const states: number[] = [];
    const member = await joinGroup({
      ...stage.place(1),
      logger: false,
      acquire: () => {
        if (++calls < 3) throw new Error('cannot load');
        return calls;
      },
      handler: (_message, { state }) => void states.push(state),
    });
    stage.members.push(member);
    await until('the message is handled', () => states.length === 1);
    assert.deepEqual(states, [3]);
    await member.leave();
  });

  it('a state is dropped, and not released, if its partition is lost', async () => {
    const signals: AbortSignal[] = [];
    let released = 0;
    const { connection, stream } = stage;
    const member = await stage.join(
      {
        acquire: (_partition, { signal }) => void signals.push(signal),
        handler: () => {},
        release: () => void released++,
      },
      1,
    );
    await until('the state is acquired', () => signals.length === 1);
    const lost = once(member, 'lost');
    const key = `$KV.${stream}_leases.group.default.lease.0`;
    const lease = { v: 2, owner: 'other', name: 'other', reason: 'claim', from: null, at: '' };
    await connection.request(key, JSON.stringify(lease));
    await lost;
    assert.deepEqual([signals[0]?.aborted, released], [true, 0]);
  });

  it('the signal of a released state does not abort when the member ends', async () => {
    const signals: AbortSignal[] = [];
    const member = await joinGroup({
      ...stage.place(1),
      logger: false,
      acquire: (_partition, { signal }) => void signals.push(signal),
      handler: () => {},
    });
    stage.members.push(member);
    await member.ready;
    await member.leave();
    assert.deepEqual(
      signals.map(({ aborted }) => aborted),
      [false],
    );
  });
});
