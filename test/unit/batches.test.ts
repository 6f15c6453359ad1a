import assert from 'node:assert/strict';
import type { BatchLimits } from '../../src/core/config/batch.js';
import { type BatchHandler, FailedAt, StopConsuming } from '../../src/core/member/partition/handler.js';
import { Quota } from '../../src/core/member/partition/quota.js';
import type { WorkPorts, WorkSettings } from '../../src/core/member/partition/work-contract.js';
import { fakeMessage, settle } from '../support/fake-partition.js';
import { WorkBench } from '../support/work-bench.js';

/** The work of a partition with a batch handler. Tests end its calls. */
function bench(
  limits: Partial<BatchLimits> = {},
  settings: Partial<WorkSettings> = {},
  ports: Partial<WorkPorts> = {},
) {
  const batches: number[][] = [];
  const attempts: number[] = [];
  const ends: { handled: () => void; failed: (error: unknown) => void }[] = [];
  const handler: BatchHandler = (messages, { attempt }) => {
    batches.push(messages.map(({ sequence }) => sequence));
    attempts.push(attempt);
    return new Promise<void>((handled, failed) => ends.push({ handled, failed }));
  };
  const at = new WorkBench(
    { handler, limits: { messages: 3, bytes: 1_000_000, waitMs: 100, ...limits } },
    settings,
    ports,
  );
  const handled = async (): Promise<void> => {
    ends.shift()?.handled();
    await settle();
  };
  const failed = async (error: unknown): Promise<void> => {
    ends.shift()?.failed(error);
    await settle();
  };
  return { ...at, at, batches, attempts, handled, failed };
}

const RETRIED: Partial<WorkSettings> = {
  failure: { maxAttempts: 2, backoff: { baseMs: 100, maxMs: 100 }, onExhausted: 'skip' },
};

describe('a batch', () => {
  it('a batch starts when it is full, and the next batch starts when the first has ended', async () => {
    const { at, batches, handled } = bench();
    at.accept(1, 2);
    assert.deepEqual(batches, []);
    at.accept(3, 4, 5, 6, 7);
    assert.deepEqual([batches, at.position], [[[1, 2, 3]], 0]);
    await handled();
    assert.deepEqual([batches.at(-1), at.position], [[4, 5, 6], 3]);
    assert.deepEqual(at.log, ['handled 1', 'handled 2', 'handled 3']);
  });

  it('a batch starts when its first message has waited long enough', () => {
    const { at, batches, clock } = bench();
    at.accept(1);
    clock.advance(60);
    at.accept(2);
    clock.advance(39);
    assert.deepEqual(batches, []);
    clock.advance(1);
    assert.deepEqual(batches, [[1, 2]]);
  });

  it('a batch is built only when it may start: until then, the cost of a message does not depend on how many messages wait', () => {
    let reads = 0;
    const slots = { hasRoom: false, reason: 'full', take: () => {}, giveBack: () => {}, whenRoom: () => {} };
    const { at, batches } = bench({ messages: 3 }, {}, { slots });
    for (let sequence = 1; sequence <= 100; sequence++)
      at.work.accept(
        Object.defineProperty({ ...fakeMessage(sequence) }, 'size', { get: () => ++reads && 1 }),
      );
    assert.deepEqual([batches, reads], [[], 100]);
  });

  it('a batch starts at once after a full batch, with the messages that have waited already', async () => {
    const { at, batches, handled } = bench();
    at.accept(1, 2, 3, 4, 5, 6, 7);
    await handled();
    await handled();
    assert.deepEqual(batches, [[1, 2, 3], [4, 5, 6], [7]]);
  });

  it('a batch is no larger than its limit of bytes, and a larger message is a batch of its own', async () => {
    const { at, batches, handled } = bench({ bytes: 20 });
    const accept = (sequence: number, size: number) => at.work.accept({ ...fakeMessage(sequence), size });
    accept(1, 10);
    assert.deepEqual(batches, []);
    accept(2, 11);
    assert.deepEqual(batches, [[1]]);
    accept(3, 9);
    await handled();
    accept(4, 50);
    await handled();
    assert.deepEqual(batches, [[1], [2, 3], [4]]);
  });

  it('a failed batch is tried again as a whole, then one message at a time, each as often as any other message', async () => {
    const { at, batches, attempts, handled, failed, clock } = bench({}, RETRIED);
    at.accept(1, 2, 3, 4);
    await failed(new Error('down'));
    clock.advance(100);
    await failed(new Error('down'));
    assert.deepEqual(
      [batches, attempts],
      [
        [[1, 2, 3], [1, 2, 3], [1]],
        [1, 2, 1],
      ],
    );
    await handled();
    await failed(new Error('bad'));
    clock.advance(100);
    await failed(new Error('bad'));
    await handled();
    assert.deepEqual(batches.slice(3), [[2], [2], [3], [4]]);
    assert.deepEqual(at.log.slice(-5), [
      'handled 1',
      'failed 2 #1 Error: bad retry',
      'failed 2 #2 Error: bad skip',
      'handled 2',
      'handled 3',
    ]);
    assert.equal(at.position, 3);
  });

  it('a batch that failed at a message has handled the messages before it, and begins with that message the next time', async () => {
    const { at, batches, attempts, failed, clock } = bench({}, RETRIED);
    at.accept(1, 2, 3, 4);
    await failed(new FailedAt(1, new Error('bad')));
    assert.equal(at.position, 1);
    clock.advance(100);
    assert.deepEqual([batches.at(-1), attempts.at(-1)], [[2, 3, 4], 2]);
    await failed(new FailedAt(0, new Error('bad')));
    assert.deepEqual(batches.at(-1), [3, 4]);
    assert.deepEqual(at.log, [
      'handled 1',
      'failed 2 #1 Error: bad retry',
      'failed 2 #2 Error: bad skip',
      'handled 2',
    ]);
  });

  it('an index beyond the end of a batch counts as the index of its last message', async () => {
    const { at, failed } = bench();
    at.accept(1, 2, 3);
    await failed(new FailedAt(9, new Error('bad')));
    assert.equal(at.position, 2);
    assert.deepEqual(at.halts, [{ kind: 'halted', message: 'message 3 failed: bad' }]);
    assert.throws(() => new FailedAt(-1, 'x'), /-1 is not the index of a message/);
  });

  it('a batch handler may report that no message can be handled, and then no message of its batch is handled', async () => {
    const { at, failed } = bench();
    at.accept(1, 2, 3);
    await failed(new StopConsuming('the database is gone'));
    assert.equal(at.halts[0]?.kind, 'stopped');
    assert.deepEqual([at.position, at.log], [0, []]);
  });

  it('an interrupted batch has not failed, and is tried again as a whole', async () => {
    const { at, batches, attempts, failed } = bench();
    at.accept(1, 2, 3);
    assert.deepEqual(
      at.work.running.map(({ sequence }) => sequence),
      [1, 2, 3],
    );
    at.work.interrupt('the member could not renew in time');
    await failed(new Error('aborted'));
    assert.deepEqual(
      [batches, attempts],
      [
        [
          [1, 2, 3],
          [1, 2, 3],
        ],
        [1, 1],
      ],
    );
  });

  it('a batch does not start once the work is closed, but a running batch still counts', async () => {
    const { at, batches, handled, clock } = bench();
    at.accept(1, 2, 3, 4, 5);
    at.work.close();
    await handled();
    clock.advance(1_000);
    assert.deepEqual([batches, at.position], [[[1, 2, 3]], 3]);
  });

  it('a batch ends at the quota of messages', async () => {
    const quota = new Quota(4);
    const { at, batches, handled } = bench({}, {}, { quota });
    at.accept(1, 2, 3, 4, 5, 6);
    await handled();
    await handled();
    assert.deepEqual(batches, [[1, 2, 3], [4]]);
  });

  it('a batch may be handled without a promise', () => {
    const batches: number[] = [];
    const at = new WorkBench({
      handler: (messages) => void batches.push(messages.length),
      limits: { messages: 2, bytes: 1_000, waitMs: 0 },
    });
    at.accept(1, 2, 3, 4);
    assert.equal(at.position, 4);
    assert.equal(
      batches.reduce((sum, each) => sum + each, 0),
      4,
    );
  });
});
