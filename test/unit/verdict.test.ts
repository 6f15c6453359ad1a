import assert from 'node:assert/strict';
import { runInNewContext } from 'node:vm';
import { forKeyed } from '../../src/core/member/partition/keyless.js';
import { InvalidMessage, type Judge } from '../../src/core/member/partition/verdict.js';
import type { WorkPorts, WorkSettings } from '../../src/core/member/partition/work-contract.js';
import { settle } from '../support/fake-partition.js';
import { WorkBench } from '../support/work-bench.js';

const TWICE_THEN_SKIP: Partial<WorkSettings> = {
  failure: { maxAttempts: 2, backoff: { baseMs: 100, maxMs: 1_000 }, onExhausted: 'skip' },
};

/** The work of a partition whose handler always fails with this error. */
const failing = (error: unknown, judge?: Judge, ports: Partial<WorkPorts> = {}) =>
  new WorkBench(
    () => {
      throw error;
    },
    TWICE_THEN_SKIP,
    { judge, ...ports },
  );

describe('the judge of failures', () => {
  it('the judge gets the failure with its message', () => {
    const error = new Error('no');
    const seen: unknown[] = [];
    const judge: Judge = ({ message, ...failure }) => {
      seen.push({ ...failure, sequence: message.sequence });
      return 'skip';
    };
    failing(error, judge).accept(7);
    assert.deepEqual(seen, [{ error, attempt: 1, partition: 3, epoch: 41, sequence: 7 }]);
  });

  it('the judge can skip a message at the first attempt', () => {
    const bench = failing(new Error('no'), () => 'skip');
    bench.accept(1);
    assert.deepEqual(bench.log, ['failed 1 #1 Error: no skip', 'handled 1']);
  });

  it('a judge that is an async function halts the partition, and its rejection ends nothing else', async () => {
    let caught = 0;
    const verdict = Promise.reject(new Error('no verdict'));
    const count = verdict.catch.bind(verdict);
    verdict.catch = (handle) => {
      caught++;
      return count(handle);
    };
    const bench = failing(new Error('no'), () => verdict as unknown as 'skip');
    bench.accept(1);
    assert.match(JSON.stringify(bench.halts), /judge returned .*, which is not a verdict/);
    assert.equal(caught, 1, 'the rejection is handled');
    await count(() => {});
  });

  it('the rejection of a promise that a judge of another realm returns ends nothing', async () => {
    const judge: unknown = runInNewContext("async () => { throw new Error('no verdict'); }");
    const unhandled: unknown[] = [];
    const note = (reason: unknown): void => void unhandled.push(reason);
    process.on('unhandledRejection', note);
    const bench = failing(new Error('no'), judge as Judge);
    bench.accept(1);
    assert.match(JSON.stringify(bench.halts), /judge returned .*, which is not a verdict/);
    // By then the runtime has reported unhandled rejections.
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', note);
    assert.deepEqual(unhandled, []);
  });

  it('the judge can halt the partition at the first attempt', () => {
    const bench = failing(new Error('no'), () => 'halt');
    bench.accept(1, 2);
    assert.deepEqual(bench.halts, [{ kind: 'halted', message: 'message 1 failed: no' }]);
    assert.deepEqual(bench.log, ['failed 1 #1 Error: no halt']);
  });

  it('the judge can turn a message into a dead letter at the first attempt', async () => {
    const letters: number[] = [];
    const deadLetters: WorkPorts['deadLetters'] = {
      store: async ({ message }) => {
        letters.push(message.sequence);
        return { kind: 'ok' };
      },
    };
    const bench = failing(new Error('no'), () => 'dead-letter', { deadLetters });
    bench.accept(1);
    await settle();
    assert.deepEqual([letters, bench.position], [[1], 1]);
  });

  it('the judge can retry beyond maxAttempts, after the usual wait', () => {
    const bench = failing(new Error('no'), ({ attempt }) => (attempt < 4 ? 'retry' : 'skip'));
    bench.accept(1);
    for (const waitMs of [100, 200, 400]) bench.clock.advance(waitMs);
    assert.equal(bench.log.at(-1), 'handled 1');
    assert.equal(bench.log.length, 5);
  });

  it('the judge can retry after a wait of its own', () => {
    const bench = failing(new Error('no'), ({ attempt }) => (attempt === 1 ? { retryInMs: 5_000 } : 'skip'));
    bench.accept(1);
    bench.clock.advance(4_999);
    assert.equal(bench.log.length, 1);
    bench.clock.advance(1);
    assert.equal(bench.log.at(-1), 'handled 1');
  });

  it('if the judge returns nothing, the settings decide', () => {
    const bench = failing(new Error('no'), () => undefined);
    bench.accept(1);
    bench.clock.advance(100);
    assert.deepEqual(bench.log, ['failed 1 #1 Error: no retry', 'failed 1 #2 Error: no skip', 'handled 1']);
  });

  it('the partition halts if the judge throws or returns no verdict', () => {
    const throws = failing(new Error('no'), () => {
      throw new Error('a bug');
    });
    throws.accept(1);
    const [thrown] = throws.halts;
    assert.ok(thrown?.kind === 'halted');
    assert.equal(thrown.message, 'message 1 failed: no; judge threw: a bug');
    for (const verdict of ['ignore', { retryInMs: -1 }, Promise.resolve('skip'), 7]) {
      const bench = failing(new Error('no'), () => verdict as never);
      bench.accept(1);
      const [halt] = bench.halts;
      assert.ok(halt?.kind === 'halted');
      assert.match(halt.message, /judge returned .*, which is not a verdict$/);
    }
  });

  it('the judge decides about a batch by its first message: another attempt, or one message at a time', () => {
    const calls: number[][] = [];
    const bench = new WorkBench(
      {
        limits: { messages: 3, bytes: 1_000, waitMs: 10 },
        handler: (messages) => {
          calls.push(messages.map(({ sequence }) => sequence));
          if (messages.some(({ sequence }) => sequence === 2)) throw new Error('no');
        },
      },
      TWICE_THEN_SKIP,
      { judge: ({ attempt, message }) => (message.sequence === 1 && attempt === 1 ? 'retry' : 'skip') },
    );
    bench.accept(1, 2, 3);
    bench.clock.advance(100);
    assert.deepEqual(calls, [[1, 2, 3], [1, 2, 3], [1], [2], [3]]);
    assert.deepEqual(bench.log.slice(-3), ['failed 2 #1 Error: no skip', 'handled 2', 'handled 3']);
  });
});

describe('an invalid message', () => {
  it('an invalid message is not tried again', () => {
    const bench = failing(new InvalidMessage('not an order'));
    bench.accept(1);
    assert.deepEqual(bench.log, ['failed 1 #1 InvalidMessage: not an order skip', 'handled 1']);
  });

  it('an invalid message is tried again if the judge returns retry', () => {
    const bench = failing(new InvalidMessage('not an order'), ({ attempt }) =>
      attempt === 1 ? 'retry' : undefined,
    );
    bench.accept(1);
    bench.clock.advance(100);
    assert.equal(bench.log.length, 3);
  });
});

describe('a message without a key that is to be stored', () => {
  it('a message without a key becomes a dead letter without an attempt, whatever the judge and the policy say', async () => {
    const letters: [number, string][] = [];
    const deadLetters: WorkPorts['deadLetters'] = {
      store: async ({ message, error }) => {
        letters.push([message.sequence, error]);
        return { kind: 'ok' };
      },
    };
    const calls: number[] = [];
    const handler = forKeyed(({ sequence }) => calls.push(sequence));
    const bench = new WorkBench(handler, TWICE_THEN_SKIP, { deadLetters, judge: () => 'retry' });
    bench.accept(1);
    bench.keyed([2, 'a']);
    await settle();
    assert.deepEqual([calls, letters, bench.position], [[2], [[1, 'it has no key']], 2]);
  });

  it('a message without a key ends a batch, and the messages before it are handled without it', async () => {
    const letters: number[] = [];
    const deadLetters: WorkPorts['deadLetters'] = {
      store: async ({ message }) => {
        letters.push(message.sequence);
        return { kind: 'ok' };
      },
    };
    const calls: number[][] = [];
    const handler = (messages: readonly { sequence: number }[]) =>
      calls.push(messages.map(({ sequence }) => sequence));
    const limits = { messages: 4, bytes: 1_000_000, waitMs: 0 };
    const bench = new WorkBench(forKeyed({ limits, handler }), {}, { deadLetters });
    bench.keyed([1, 'a'], [2, 'a']);
    bench.accept(3);
    bench.keyed([4, 'b']);
    await settle();
    bench.clock.advance(1);
    await settle();
    assert.deepEqual(calls.flat(), [1, 2, 4]);
    assert.deepEqual([letters, bench.position], [[3], 4]);
  });
});
