import assert from 'node:assert/strict';
import type { Handler, InBatches } from '../../src/core/member/partition/handler.js';
import { Quota } from '../../src/core/member/partition/quota.js';
import { Slots } from '../../src/core/member/partition/slots.js';
import { fakeMessage, settle } from '../support/fake-partition.js';
import { WorkBench as Bench, FAILURE } from '../support/work-bench.js';

/** Starts a drain, and records when it is over. */
function drain({ work, log }: Bench): void {
  work.close();
  void work.settles(60_000).then((isSettled) => log.push(`drained ${isSettled}`));
}

/** A handler whose synchronous part starts a drain of its own partition, before it returns a promise. */
function leaving() {
  let end = (): void => {};
  const handled = new Promise<void>((resolve) => {
    end = resolve;
  });
  const state: { bench?: Bench } = {};
  const act = (): Promise<void> => {
    if (state.bench) drain(state.bench);
    return handled;
  };
  return { act, end: () => end(), state };
}

describe('a drain that starts inside a call', () => {
  async function waits(wrap: (act: () => unknown) => Handler | InBatches, settings = {}): Promise<void> {
    const { act, end, state } = leaving();
    const bench = new Bench(wrap(act), settings);
    state.bench = bench;
    bench.accept(1);
    await settle();
    assert.deepEqual(bench.log, []);
    end();
    await settle();
    assert.deepEqual(bench.log, ['handled 1', 'drained true']);
  }

  it('a drain waits for a handler that started it before returning a promise', () => waits((act) => act));

  it('a drain waits for one of several parallel handlers that started it before returning a promise', () =>
    waits((act) => act, { concurrency: 4 }));

  it('a drain waits for a batch handler that started it before returning a promise', () =>
    waits((act) => ({ handler: act, limits: { messages: 1, bytes: 1_000, waitMs: 0 } })));

  it('a drain counts the message of a synchronous handler that started it', async () => {
    const bench: Bench = new Bench(() => drain(bench));
    bench.accept(1, 2);
    await settle();
    assert.deepEqual(bench.log, ['handled 1', 'drained true']);
    assert.equal(bench.position, 1);
  });

  for (const [when, act] of [
    ['throws', () => assert.fail('broken')],
    ['rejects', () => Promise.reject(new Error('broken'))],
  ] as const)
    it(`a drain that the judge of a call that ${when} starts waits for the dead letter`, async () => {
      let store = (): void => {};
      const stored = new Promise<{ kind: 'ok' }>((resolve) => {
        store = () => resolve({ kind: 'ok' });
      });
      const bench: Bench = new Bench(
        act,
        {},
        {
          deadLetters: { store: () => stored },
          judge: () => {
            drain(bench);
            return 'dead-letter';
          },
        },
      );
      bench.accept(1);
      await settle();
      assert.equal(bench.log.length, 1, bench.log.join());
      store();
      await settle();
      assert.deepEqual(bench.log.slice(1), ['handled 1', 'drained true']);
      assert.equal(bench.position, 1);
    });

  it('a retry that the judge asks for after it has started a drain arms no timer, and returns the message to the quota', async () => {
    const quota = new Quota(1);
    const bench: Bench = new Bench(
      () => assert.fail('broken'),
      { failure: { ...FAILURE, maxAttempts: 5 } },
      {
        quota,
        judge: () => {
          drain(bench);
          return { retryInMs: 15_000 };
        },
      },
    );
    bench.accept(1);
    await settle();
    assert.equal(bench.log.at(-1), 'drained true');
    bench.clock.advance(10_000);
    assert.equal(bench.clock.timers, 0);
    assert.equal(quota.take(), true);
  });

  it('the signal of a call aborts if its partition is lost before the call has returned', () => {
    let signal: AbortSignal | undefined;
    const bench: Bench = new Bench((_message, context) => {
      bench.work.abandon('lost');
      ({ signal } = context);
      return new Promise<void>(() => {});
    });
    bench.accept(1);
    assert.equal(signal?.aborted, true);
  });

  it('a message whose partition is lost inside its synchronous call returns to the quota', () => {
    const quota = new Quota(1);
    const bench: Bench = new Bench(() => bench.work.abandon('lost'), {}, { quota });
    bench.accept(1);
    assert.deepEqual(bench.log, []);
    assert.equal(quota.take(), true);
  });
});

describe('calls that start inside a call', () => {
  it('a call that has not returned yet holds its slot', async () => {
    const slots = new Slots(1);
    const called: string[] = [];
    const inner = new Bench(() => void called.push('inner'), {}, { slots });
    const outer = new Bench(
      () => {
        called.push('outer begins');
        inner.work.accept(fakeMessage(1));
        called.push('outer ends');
      },
      {},
      { slots },
    );
    outer.accept(1);
    assert.deepEqual(called, ['outer begins', 'outer ends', 'inner']);
  });
});
