import assert from 'node:assert/strict';
import type { FailurePolicy } from '../../src/core/config/retry.js';
import type { Clock } from '../../src/core/lib/clock.js';
import { NatspocError } from '../../src/core/lib/errors.js';
import { GiveUps } from '../../src/core/member/partition/give-ups.js';
import { type Handler, StopConsuming } from '../../src/core/member/partition/handler.js';
import { Permit } from '../../src/core/member/partition/permit.js';
import { Quota } from '../../src/core/member/partition/quota.js';
import { TimeSlice } from '../../src/core/member/partition/time-slice.js';
import type { DeadLetters } from '../../src/core/ports/index.js';
import type { DeadLetter } from '../../src/core/protocol/message.js';
import { settle } from '../support/fake-partition.js';
import { ORDER } from '../support/skip-order.js';
import { WorkBench as Bench, FAILURE } from '../support/work-bench.js';

/** The clock of a computing loop. Time passes in calls. Timers fire between them. */
class BusyClock implements Clock {
  #nowMs = 0;
  #timers: (() => void)[] = [];

  now(): number {
    return this.#nowMs;
  }

  at(_atMs: number, callback: () => void) {
    this.#timers.push(callback);
    return () => {};
  }

  compute(forMs: number): void {
    this.#nowMs += forMs;
  }

  fire(): void {
    for (const timer of this.#timers.splice(0)) timer();
  }
}

/** A handler. A test ends its calls one by one. `running` lists the sequences of the running calls, in order. */
function manual() {
  const calls = new Map<number, { resolve: () => void; reject: (error: unknown) => void }>();
  const running: number[] = [];
  const handler: Handler = ({ sequence }) => {
    running.push(sequence);
    return new Promise<void>((resolve, reject) => calls.set(sequence, { resolve, reject }));
  };
  const end = async (sequence: number, error?: Error) => {
    const call = calls.get(sequence);
    assert.ok(call, `${sequence} is running`);
    if (error) call.reject(error);
    else call.resolve();
    running.splice(running.indexOf(sequence), 1);
    await settle();
  };
  return { handler, end, running };
}

describe('the work of a partition', () => {
  it('messages of a synchronous handler are handled immediately, in order', () => {
    const bench = new Bench(() => {});
    bench.accept(5, 8, 9);
    assert.deepEqual(bench.log, ['handled 5', 'handled 8', 'handled 9']);
    assert.equal(bench.position, 9);
    assert.equal(bench.work.waiting, 0);
  });

  it('messages are handled one at a time by default', async () => {
    const { handler, end, running } = manual();
    const bench = new Bench(handler);
    bench.keyed([1, 'a'], [2, 'b'], [3, 'c']);
    assert.deepEqual(running, [1]);
    await end(1);
    assert.deepEqual(running, [2]);
    assert.equal(bench.position, 1);
    assert.equal(bench.work.waiting, 2);
  });

  it('any thenable is awaited, even a lazy one', async () => {
    let [begun, finish] = [0, () => {}];
    const query: PromiseLike<void> = {
      // biome-ignore lint/suspicious/noThenProperty: query builders have one
      then: (resolve, reject) => {
        begun++;
        return new Promise<void>((done) => {
          finish = done;
        }).then(resolve, reject);
      },
    };
    const bench = new Bench(() => query);
    bench.accept(1);
    await settle();
    assert.equal(begun, 1);
    assert.deepEqual(bench.log, []);
    finish();
    await settle();
    assert.deepEqual(bench.log, ['handled 1']);
    assert.equal(begun, 1);
  });

  it('the handler gets its context', () => {
    const seen: unknown[] = [];
    const bench = new Bench((_message, { partition, epoch, attempt, key, headers, signal }) => {
      seen.push(partition, epoch, attempt, key, headers, signal.aborted);
    });
    bench.keyed([1, 'k']);
    assert.deepEqual(seen, [3, 41, 1, 'k', { 'Natspoc-Key': 'k' }, false]);
  });

  it('nothing starts while the permit is closed, and handling continues when it opens', async () => {
    const bench = new Bench(() => {});
    bench.permit.extendTo(Number.NEGATIVE_INFINITY);
    bench.accept(1, 2);
    assert.deepEqual(bench.log, []);
    bench.permit.extendTo(bench.clock.now() + 1_000);
    await settle();
    assert.deepEqual(bench.log, ['handled 1', 'handled 2']);
  });

  describe('work with computing handlers', () => {
    it('a computing partition yields the event loop after its time slice', () => {
      const clock = new BusyClock();
      const permit = new Permit(clock);
      permit.extendTo(1_000_000);
      const bench = new Bench(() => clock.compute(60), {}, { clock, permit, slice: new TimeSlice(clock) });
      bench.accept(1, 2, 3, 4);
      assert.equal(bench.log.length, 2, 'the partition yields before all messages are handled');
      clock.fire();
      assert.equal(bench.log.length, 4);
    });

    it('a computing partition waits for the other partitions after its time slice, even if the permit ended meanwhile', async () => {
      const clock = new BusyClock();
      const permit = new Permit(clock);
      const ports = { clock, permit, slice: new TimeSlice(clock) };
      const calls: string[] = [];
      const [first, second] = ['first', 'second'].map((name) => {
        const handler = (): void => {
          calls.push(name);
          clock.compute(150);
        };
        return new Bench(handler, {}, ports);
      });
      permit.extendTo(100);
      first?.accept(1, 2, 3);
      second?.accept(1);
      clock.fire();
      assert.deepEqual(calls, ['first'], 'its time slice lasts longer than the permit');
      permit.extendTo(1_000_000);
      await settle();
      clock.fire();
      clock.fire();
      assert.deepEqual(calls, ['first', 'second', 'first', 'first']);
    });
  });

  describe('work with concurrency', () => {
    it('different keys run in parallel, each in order, and the position advances only over a contiguous prefix', async () => {
      const { handler, end, running } = manual();
      const bench = new Bench(handler, { concurrency: 2 });
      bench.keyed([1, 'a'], [2, 'a'], [3, 'b'], [4, 'c']);
      assert.deepEqual(running, [1, 3], 'two calls at most, and 2 waits for 1');
      await end(3);
      assert.equal(bench.position, 0, 'not past 1');
      assert.deepEqual(running, [1, 4]);
      await end(1);
      assert.equal(bench.position, 1);
      assert.deepEqual(running, [4, 2]);
      await end(4);
      await end(2);
      assert.equal(bench.position, 4);
    });

    it('messages without a key count as one key', () => {
      const { handler, running } = manual();
      new Bench(handler, { concurrency: 4 }).accept(1, 2, 3);
      assert.deepEqual(running, [1]);
    });

    it('a retry blocks only its own key', async () => {
      const { handler, end, running } = manual();
      const bench = new Bench(handler, { concurrency: 2, failure: { ...FAILURE, maxAttempts: 2 } });
      bench.keyed([1, 'a'], [2, 'b'], [3, 'a'], [4, 'b'], [5, 'c']);
      await end(1, new Error('busy'));
      assert.deepEqual(running, [2, 5], 'another key may run, key a may not');
      await end(5);
      await end(2);
      await end(4);
      assert.equal(bench.position, 0);
      bench.clock.advance(100);
      assert.deepEqual(running, [1]);
      await end(1);
      await end(3);
      assert.equal(bench.position, 5);
    });
  });

  describe('the hold-up of a partition', () => {
    it('the hold-up is the first message that failed, with its error, attempts and the time of the next attempt, until it is settled', () => {
      let fails = true;
      const failure: FailurePolicy = {
        maxAttempts: 9,
        backoff: { baseMs: 1_000, maxMs: 1_000 },
        onExhausted: 'halt',
      };
      const bench = new Bench(
        ({ key }) => {
          if (fails && key !== 'well') throw new Error(`no ${'x'.repeat(300)}`);
        },
        { failure, concurrency: 4 },
      );
      bench.keyed([1, 'well'], [2, 'b'], [3, 'c'], [4, 'well']);
      bench.clock.advance(400);
      const { reason = '', ...told } = bench.work.holdUp ?? {};
      const known = { why: 'retrying', sequence: 2, key: 'b', attempt: 1, maxAttempts: 9 };
      assert.deepEqual(told, { ...known, nextInMs: 600, forMs: 400, others: 1 });
      assert.equal(reason.length, 200);
      bench.work.retryNow();
      assert.equal(bench.work.holdUp?.attempt, 2, 'message 2 is tried at once');
      assert.equal(bench.work.holdUp?.forMs, 400, 'since its first failure');
      fails = false;
      bench.work.retryNow();
      assert.equal(bench.work.holdUp, undefined);
      assert.equal(bench.position, 4);
      bench.clock.advance(5_000);
      assert.equal(bench.log.length, 4 + 4, 'the waits that were ended cause no other attempt');
    });

    it('the hold-up is gone when an operator has skipped the message, even in the middle of a batch', async () => {
      const giveUps = new GiveUps();
      const limits = { messages: 4, bytes: 1_000_000, waitMs: 0 };
      const called: number[][] = [];
      const handler = giveUps.guard({
        limits,
        handler: (messages) => {
          called.push(messages.map(({ sequence }) => sequence));
        },
      });
      giveUps.add(2, { ...ORDER, partition: 3 });
      const bench = new Bench(handler, {}, { giveUps });
      bench.accept(1, 2, 3, 4);
      for (let i = 0; i < 10; i++) await settle();
      assert.equal(bench.position, 4);
      assert.ok(!called.flat().includes(2), 'message 2 is not tried');
      assert.ok(
        bench.log.some((line) => line.startsWith('failed 2') && line.endsWith('skip')),
        bench.log.join(),
      );
      assert.equal(giveUps.of(2), undefined, 'the order is carried out once');
    });
  });

  describe('work whose handler fails', () => {
    it('a failed message is retried with growing delays, and then halts its partition', async () => {
      let calls = 0;
      const failure: FailurePolicy = {
        maxAttempts: 4,
        backoff: { baseMs: 100, maxMs: 250 },
        onExhausted: 'halt',
      };
      const bench = new Bench(
        ({ sequence }) => {
          if (sequence === 2) throw new Error(`no ${++calls}`);
        },
        { failure },
      );
      bench.accept(1, 2, 3);
      const times = [100, 200, 250].map((delay) => {
        bench.clock.advance(delay - 1);
        const before = calls;
        bench.clock.advance(1);
        return [before, calls];
      });
      assert.deepEqual(times, [
        [1, 2],
        [2, 3],
        [3, 4],
      ]);
      assert.deepEqual(bench.halts, [{ kind: 'halted', message: 'message 2 failed 4 times: no 4' }]);
      assert.equal(bench.log.at(-1), 'failed 2 #4 Error: no 4 halt', 'the last attempt counts too');
      assert.equal(bench.position, 1);
      bench.accept(4);
      assert.equal(bench.position, 1, 'nothing is handled after a halt');
    });

    it('a failed message is skipped with the policy skip', () => {
      const bench = new Bench(
        ({ sequence }) => {
          if (sequence === 2) throw new Error('bad');
        },
        { failure: { ...FAILURE, onExhausted: 'skip' } },
      );
      bench.accept(1, 2, 3);
      assert.deepEqual(bench.log, ['handled 1', 'failed 2 #1 Error: bad skip', 'handled 2', 'handled 3']);
      assert.equal(bench.position, 3);
    });

    it('a long run of failures is skipped without piling up calls', async () => {
      const bench = new Bench(
        () => {
          throw new Error('bad');
        },
        { failure: { ...FAILURE, onExhausted: 'skip' } },
      );
      bench.permit.extendTo(Number.NEGATIVE_INFINITY);
      for (let sequence = 1; sequence <= 50_000; sequence++) bench.accept(sequence);
      bench.permit.extendTo(1_000_000);
      await settle();
      assert.equal(bench.position, 50_000);
    });

    it('a dead letter is sent until it is confirmed, and only then does the partition continue', async () => {
      const letters: DeadLetter[] = [];
      const outcomes: Awaited<ReturnType<DeadLetters['store']>>[] = [{ kind: 'unknown' }, { kind: 'ok' }];
      const deadLetters: DeadLetters = {
        store: async (letter) => {
          letters.push(letter);
          return outcomes.shift() ?? { kind: 'ok' };
        },
      };
      const bench = new Bench(
        ({ sequence }) => {
          if (sequence === 1) throw new Error('bad');
        },
        { failure: { ...FAILURE, maxAttempts: 2, onExhausted: 'dead-letter' } },
        { deadLetters },
      );
      bench.accept(1, 2);
      bench.clock.advance(100);
      await settle();
      assert.equal(bench.position, 0, 'the position does not pass a message whose letter is not confirmed');
      bench.clock.advance(100);
      await settle();
      assert.equal(bench.position, 2);
      assert.deepEqual(
        letters.map(({ message, partition, epoch, attempts, error }) => [
          message.sequence,
          partition,
          epoch,
          attempts,
          error,
        ]),
        [
          [1, 3, 41, 2, 'bad'],
          [1, 3, 41, 2, 'bad'],
        ],
      );
    });

    it('the partition halts if the dead letter cannot be stored', async () => {
      const error = new NatspocError('storage-failed', 'maximum bytes exceeded');
      const bench = new Bench(
        () => {
          throw new Error('bad');
        },
        { failure: { ...FAILURE, onExhausted: 'dead-letter' } },
        { deadLetters: { store: async () => ({ kind: 'failed', error }) } },
      );
      bench.accept(1);
      await settle();
      assert.equal(bench.position, 0);
      assert.match(bench.halts[0]?.kind === 'halted' ? bench.halts[0].message : '', /maximum bytes exceeded/);
    });

    it('the member stops if the handler cannot handle any message, with any policy', () => {
      const error = new StopConsuming('the database is gone');
      const bench = new Bench(
        () => {
          throw error;
        },
        { failure: { ...FAILURE, maxAttempts: 5, onExhausted: 'skip' } },
      );
      bench.accept(1, 2);
      assert.deepEqual(bench.halts, [{ kind: 'stopped', error }]);
      assert.equal(bench.position, 0);
    });

    it('an attempt that was interrupted does not count', async () => {
      const attempts: number[] = [];
      const bench = new Bench((_message, { attempt, signal }) => {
        attempts.push(attempt);
        return new Promise<void>((_, reject) =>
          signal.addEventListener('abort', () => reject(signal.reason)),
        );
      });
      bench.accept(1);
      bench.permit.extendTo(Number.NEGATIVE_INFINITY);
      bench.work.interrupt('out of touch');
      await settle();
      assert.deepEqual(bench.halts, []);
      bench.permit.extendTo(1_000_000);
      await settle();
      assert.deepEqual(attempts, [1, 1]);
    });
  });

  describe('work with a handler timeout', () => {
    it('a handler that never returns fails, and the partition continues without it', async () => {
      const reasons: unknown[] = [];
      const bench = new Bench(
        ({ sequence }, { signal }) => {
          if (sequence > 1) return undefined;
          signal.addEventListener('abort', () => reasons.push(signal.reason.message));
          return new Promise<void>(() => {});
        },
        { handlerTimeoutMs: 1_000, failure: { ...FAILURE, onExhausted: 'skip' } },
      );
      bench.accept(1, 2);
      bench.clock.advance(999);
      assert.deepEqual(reasons, []);
      bench.clock.advance(1);
      assert.deepEqual(reasons, ['no result within 1.0 s']);
      bench.clock.advance(250);
      await settle();
      assert.equal(bench.position, 2);
      assert.equal(bench.log[0], 'failed 1 #1 Error: no result within 1.0 s skip');
    });

    it('a timeout counts even if the handler returns normally after its signal', async () => {
      const bench = new Bench(
        (_message, { signal }) =>
          new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve())),
        { handlerTimeoutMs: 10 },
      );
      bench.accept(1);
      bench.clock.advance(10);
      await settle();
      assert.equal(bench.halts.length, 1);
      assert.equal(bench.position, 0);
    });
  });

  describe('work with a quota', () => {
    it('all partitions together start no more messages than the quota', () => {
      const quota = new Quota(2);
      const first = new Bench(() => {}, {}, { quota });
      const second = new Bench(() => {}, {}, { quota });
      first.accept(1);
      second.accept(1, 2, 3);
      first.accept(2);
      assert.deepEqual([first.position, second.position], [1, 1]);
    });

    it('a message that is not handled does not count against the quota', () => {
      const quota = new Quota(1);
      const other = new Bench(() => {}, {}, { quota });
      const failing = new Bench(
        () => {
          throw new Error('bad');
        },
        { failure: { ...FAILURE, maxAttempts: 2 } },
        { quota },
      );
      failing.accept(1);
      other.accept(1);
      assert.equal(other.position, 0);
      failing.work.close();
      assert.equal(other.position, 1);
    });
  });

  it('work settles when the running handlers have ended, and not before', async () => {
    const { handler, end } = manual();
    const bench = new Bench(handler);
    bench.accept(1, 2);
    bench.work.close();
    let settled: boolean | undefined;
    void bench.work.settles(1_000).then((value) => {
      settled = value;
    });
    await settle();
    assert.equal(settled, undefined);
    await end(1);
    assert.equal(settled, true);
    assert.equal(bench.position, 1, 'the running message counts');
    assert.equal(await bench.work.settles(0), true);
  });

  it('work reports if it does not settle in time', async () => {
    const bench = new Bench(() => new Promise<void>(() => {}));
    bench.accept(1);
    bench.work.close();
    const settled = bench.work.settles(1_000);
    bench.clock.advance(1_000);
    assert.equal(await settled, false);
  });

  it('if a handler succeeds after its work was abandoned, the position advances, but the message is not reported as handled', async () => {
    const { handler, end } = manual();
    const bench = new Bench(handler);
    bench.accept(1);
    bench.work.abandon('lost');
    await end(1);
    assert.deepEqual(bench.log, [], 'not as handled');
    assert.equal(bench.position, 1, 'no second call under the same epoch');
  });
});
