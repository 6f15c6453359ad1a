import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import {
  FailedAt,
  InvalidMessage,
  type StandardSchema,
  StopConsuming,
  textOf,
} from '../../src/core/index.js';
import { call, callBatch, localStream } from '../../src/core/testing/index.js';

/** A schema like those of zod: an object with a whole number of cents. */
const Order: StandardSchema<{ cents: number }> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value) => {
      const { cents }: { cents?: unknown } = Object(value);
      return typeof cents === 'number' ? { value: { cents } } : { issues: [{ message: 'no cents' }] };
    },
  },
};

const fails = (): never => {
  throw new Error('no way');
};

describe('a called handler', () => {
  it('a called handler gets the message and context that a member gives', async () => {
    const seen: unknown[] = [];
    const { outcome, log } = await call(
      (message, context) => {
        const { data, key, sequence, subject, size } = message;
        seen.push(textOf(data), key, message.headers(), sequence, subject, size);
        seen.push(context.partition, context.attempt, context.epoch, context.key, context.state);
        context.log.info('hello');
      },
      { data: 'x', key: 'a', headers: { 'X-Own': '1' }, partition: 3, attempt: 2, epoch: 9, state: 's' },
    );
    assert.deepEqual(seen, [
      'x',
      'a',
      { 'X-Own': '1', 'Natspoc-Key': 'a' },
      1,
      'events.p.3',
      1,
      3,
      2,
      9,
      'a',
      's',
    ]);
    assert.deepEqual([outcome, log], ['handled', [{ level: 'info', text: 'hello' }]]);
  });

  it('a called handler gets the value that its schema returns, or a given value unchanged', async () => {
    const values: unknown[] = [];
    const handler = ({ value }: { value: { cents: number } }) => void values.push(value);
    assert.equal(
      (await call({ schema: Order, handler }, { value: { cents: 5, more: true } })).outcome,
      'handled',
    );
    assert.equal((await call(handler, { value: { cents: 6 } })).outcome, 'handled');
    assert.deepEqual(values, [{ cents: 5 }, { cents: 6 }]);
  });

  it('a handler is not called for an invalid message, which is not tried again', async () => {
    const result = await call({ schema: Order, handler: fails, onFailure: 'skip' }, { value: {} });
    assert.ok(result.outcome === 'failed' && result.error instanceof InvalidMessage);
    assert.deepEqual([result.error.message, result.then], ['no cents', 'skip']);
  });

  it('a called handler that fails is tried again until the last attempt', async () => {
    const results = await Promise.all(
      [1, 2].map((attempt) => call({ handler: fails, maxAttempts: 2 }, { attempt })),
    );
    assert.deepEqual(
      results.map((result) => result.outcome === 'failed' && [result.then, result.retryInMs]),
      [
        ['retry', 100],
        ['halt', undefined],
      ],
    );
  });

  it('the judge decides about a failure of a called handler', async () => {
    const judge = ({ attempt }: { attempt: number }) => (attempt > 1 ? 'dead-letter' : { retryInMs: 7 });
    const first = await call({ handler: async () => fails(), judge });
    assert.deepEqual(
      [first.outcome === 'failed' && first.then, first.outcome === 'failed' && first.retryInMs],
      ['retry', 7],
    );
    const second = await call({ handler: fails, judge }, { attempt: 2 });
    assert.equal(second.outcome === 'failed' && second.then, 'dead-letter');
    const broken = await call({ handler: fails, judge: fails });
    assert.deepEqual(
      [broken.outcome === 'failed' && broken.then, broken.outcome === 'failed' && broken.fault],
      ['halt', 'judge threw: no way'],
    );
  });

  it('a called handler can stop its member, and receives the signal', async () => {
    const stops = () => {
      throw new StopConsuming('gone');
    };
    assert.equal((await call(stops)).outcome, 'stopped');
    const result = await call((_message, { signal }) => signal.throwIfAborted(), {
      signal: AbortSignal.abort(new Error('too slow')),
    });
    assert.equal(result.outcome === 'failed' && String(result.error), 'Error: too slow');
  });

  it('many concurrent calls with one signal add one event listener, and leave none', async () => {
    const stop = new AbortController();
    let end = (): void => {};
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    const calls = Array.from({ length: 12 }, () => call(() => ended, { signal: stop.signal }));
    assert.equal(getEventListeners(stop.signal, 'abort').length, 1);
    end();
    await Promise.all(calls);
    assert.equal(getEventListeners(stop.signal, 'abort').length, 0);
  });

  it('a call has only options that joinGroup accepts', async () => {
    await assert.rejects(call({ handler: fails, maxAttempts: 0 }), { code: 'config' });
  });
});

describe('a called batch handler', () => {
  const messages = [{ value: { cents: 1 } }, { value: { cents: 2 } }, { value: {} }];

  it('a called batch handler gets the valid messages, and the invalid messages fail', async () => {
    const seen: number[] = [];
    const batchHandler = (batch: readonly { value: { cents: number }; sequence: number }[]) =>
      void seen.push(...batch.map(({ value, sequence }) => value.cents * 10 + sequence));
    const result = await callBatch({ schema: Order, batchHandler }, messages);
    assert.deepEqual(seen, [11, 22]);
    assert.ok(result.outcome === 'failed' && result.error instanceof InvalidMessage);
    assert.equal(result.index, 2);
  });

  it('the judge gets the failure of a called handler as a member would give it', async () => {
    const seen: unknown[] = [];
    const judge = ({ message, error }: { message: { sequence: number }; error: unknown }) => {
      seen.push(message.sequence, String(error));
      return undefined;
    };
    const failsAt = () => {
      throw new FailedAt(7, 'full');
    };
    const stream = localStream({ partitions: 1 });
    const publisher = await stream.createPublisher();
    const options = { judge, maxAttempts: 1, onFailure: 'skip', logger: false } as const;
    const batches = await stream.joinGroup({
      ...options,
      group: 'batches',
      batchHandler: failsAt,
      batch: { messages: 3 },
    });
    for (let i = 0; i < 3; i++) await publisher.publish({ data: 'x' });
    await stream.idle();
    await batches.leave();
    const single = await stream.joinGroup({ ...options, group: 'single', handler: failsAt });
    await stream.idle();
    await single.leave();
    const inMember = seen.splice(0);
    const result = await callBatch({ judge, batchHandler: failsAt }, [{}, {}, {}]);
    for (const sequence of [1, 2, 3]) await call({ judge, handler: failsAt }, { sequence });
    assert.deepEqual(seen, inMember);
    assert.deepEqual(seen, [3, 'full', ...[1, 2, 3].flatMap((each) => [each, 'FailedAt: full'])]);
    assert.equal(result.outcome === 'failed' && result.index, 2);
  });

  it('after the last attempt of a batch, a member would try its messages one at a time', async () => {
    const program = { batchHandler: fails, maxAttempts: 1, onFailure: 'skip' } as const;
    const results = await Promise.all([callBatch(program, [{}, {}]), callBatch(program, [{}])]);
    assert.deepEqual(
      results.map((result) => result.outcome === 'failed' && [result.then, result.retryInMs]),
      [
        ['retry', 0],
        ['skip', undefined],
      ],
    );
  });

  it('a called batch handler reports which message failed', async () => {
    const result = await callBatch(() => {
      throw new FailedAt(1, new Error('full'));
    }, messages);
    assert.deepEqual([result.outcome === 'failed' && result.index, String(result.error)], [1, 'Error: full']);
  });
});
