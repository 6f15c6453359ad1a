import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { PublishError } from '../../src/core/publisher/publish-error.js';
import { Publisher } from '../../src/core/publisher/publisher.js';
import type { PublisherOptions } from '../../src/core/publisher/publisher-options.js';
import { ManualClock } from '../support/manual-clock.js';
import { ModelStream } from '../support/model-stream.js';

function start(options: Partial<PublisherOptions> = {}) {
  const clock = new ManualClock();
  const stream = new ModelStream();
  const publisher = new Publisher({
    layout: { prefix: 'test', partitions: 4 },
    openPort: stream.open,
    clock,
    timeoutMs: 10_000,
    maxPendingMessages: 4,
    ...options,
  });
  const roundTrip = () => {
    stream.handle();
    stream.answer();
  };
  return { clock, stream, publisher, roundTrip };
}

/** How a publish failed: whether the message may be stored, and why. */
const failureOf = async (publishing: Promise<unknown>): Promise<[string, string]> => {
  try {
    await publishing;
  } catch (error) {
    assert.ok(error instanceof PublishError, String(error));
    return [error.stored, error.message];
  }
  return ['yes', ''];
};

describe('publishing with limits', () => {
  it('publishing fails after its own timeout, and a message that was sent may be stored', async () => {
    const { clock, publisher, roundTrip } = start();
    const publishing = failureOf(publisher.publish({ data: 'a' }, { timeoutMs: 500 }));
    clock.advance(499);
    assert.equal(publisher.pending, 1);
    clock.advance(1);
    assert.deepEqual(await publishing, ['unknown', 'No confirmation arrived within 500 ms.']);
    assert.equal(publisher.pending, 0);
    assert.deepEqual(publisher.counters, { ...publisher.counters, accepted: 1, unknown: 1 });
    roundTrip();
    assert.equal(publisher.counters.confirmed, 0, 'a late answer changes nothing');
  });

  it('publishing fails when its signal aborts, with the reason as the cause', async () => {
    const { publisher } = start();
    const stop = new AbortController();
    const publishing = publisher.publish({ data: 'a' }, { signal: stop.signal });
    const reason = new Error('The request is over.');
    stop.abort(reason);
    await assert.rejects(publishing, (error) => {
      assert.ok(error instanceof PublishError);
      assert.deepEqual([error.stored, error.code, error.cause], ['unknown', 'not-confirmed', reason]);
      assert.equal(error.message, 'Publishing was aborted: The request is over.');
      return true;
    });
  });

  it('a message that was aborted in the queue, before it was published, or without a connection is reported as not stored', async () => {
    const { publisher, stream, roundTrip } = start();
    for (const text of ['a', 'b', 'c', 'd']) publisher.send({ data: text });
    const stop = new AbortController();
    const queued = failureOf(publisher.publish({ data: 'e' }, { signal: stop.signal }));
    const next = publisher.publish({ data: 'f' });
    stop.abort(new Error('enough'));
    assert.deepEqual(await queued, ['no', 'Publishing was aborted: enough.']);
    roundTrip();
    roundTrip();
    await next;
    assert.equal(stream.stored.length, 5);
    assert.deepEqual(await failureOf(publisher.publish({ data: 'g' }, { signal: stop.signal })), [
      'no',
      'Publishing was aborted: enough.',
    ]);
    stream.break(true);
    const other = new AbortController();
    const down = failureOf(publisher.publish({ data: 'h' }, { signal: other.signal }));
    other.abort(new Error('enough'));
    assert.equal((await down)[0], 'no');
  });

  it('publishing leaves no timer or listener after a confirmation in time', async () => {
    const { publisher, roundTrip, clock } = start();
    const stop = new AbortController();
    const publishing = publisher.publish({ data: 'a' }, { signal: stop.signal, timeoutMs: 100 });
    roundTrip();
    await publishing;
    const other = publisher.publish({ data: 'b' });
    stop.abort();
    clock.advance(200);
    roundTrip();
    assert.equal((await other).sequence, 2);
  });

  it('an error reports whether the message may be stored, even without limits', async () => {
    const { publisher, clock } = start();
    const sent = failureOf(publisher.publish({ data: 'a' }));
    clock.advance(10_250);
    assert.equal((await sent)[0], 'unknown');
    assert.equal((await failureOf(publisher.publish({ data: 'a', partition: 99 })))[0], 'no');
  });

  it('a signal or a time that ends many calls sends none of their messages, and the waiting messages are not stored', async () => {
    for (const ordered of [false, true]) {
      for (const kind of ['signal', 'timeoutMs'] as const) {
        const { clock, publisher, stream, roundTrip } = start({ ordered });
        const stop = new AbortController();
        const limits = kind === 'signal' ? { signal: stop.signal } : { timeoutMs: 500 };
        const calls = Array.from({ length: 12 }, (_, i) =>
          failureOf(publisher.publish({ data: `${i}`, partition: i % 2 }, limits)),
        );
        const sent = ordered ? 2 : 4;
        assert.equal(stream.inTransit, sent);
        if (kind === 'signal') stop.abort();
        clock.advance(kind === 'signal' ? 0 : 500);
        const outcomes = (await Promise.all(calls)).map(([stored]) => stored);
        assert.equal(outcomes.filter((stored) => stored === 'no').length, 12 - sent);
        assert.equal(stream.inTransit, sent, 'nothing was sent at the end');
        assert.equal(publisher.pending, 0);
        const next = publisher.publish({ data: 'next' });
        roundTrip();
        assert.equal((await next).sequence, sent + 1);
      }
    }
  });

  it('if the server is silent, queued messages fail at the same time as the messages that were sent', async () => {
    const { clock, publisher, stream } = start();
    const calls = Array.from({ length: 12 }, () => failureOf(publisher.publish({ data: 'x' })));
    const closed = publisher.close();
    clock.advance(10_250);
    const outcomes = (await Promise.all(calls)).map(([stored]) => stored);
    assert.deepEqual(outcomes, [...Array<string>(4).fill('unknown'), ...Array<string>(8).fill('no')]);
    assert.equal(stream.inTransit, 4);
    await closed;
  });

  it('the time that a message waits for its turn does not count while the stream confirms other messages', async () => {
    for (const options of [{ maxPendingMessages: 1 }, { maxPendingMessages: 100, ordered: true }]) {
      const { clock, publisher, roundTrip } = start(options);
      const calls = Array.from({ length: 12 }, () => publisher.publish({ data: 'x', partition: 0 }));
      const last = failureOf(publisher.publish({ data: 'last', partition: 0 }));
      for (const call of calls) {
        clock.advance(6_000);
        roundTrip();
        await call;
      }
      clock.advance(9_999);
      assert.equal(publisher.pending, 1);
      clock.advance(251);
      assert.equal((await last)[0], 'unknown', 'it was sent at once');
    }
  });

  it('many calls with one signal add one event listener, and leave none', async () => {
    const { publisher, roundTrip } = start();
    const stop = new AbortController();
    const calls = Array.from({ length: 20 }, () => publisher.publish({ data: 'x' }, { signal: stop.signal }));
    assert.equal(getEventListeners(stop.signal, 'abort').length, 1);
    while (publisher.pending > 0) roundTrip();
    await Promise.all(calls);
    assert.equal(getEventListeners(stop.signal, 'abort').length, 0);
  });

  it('publishing refuses an invalid timeout', async () => {
    const { publisher } = start();
    const [stored, message] = await failureOf(publisher.publish({ data: 'a' }, { timeoutMs: -1 }));
    assert.deepEqual([stored, message], ['no', 'timeoutMs: -1 is not a number of milliseconds above 0.']);
  });

  it('publishing refuses a value that is not a signal', async () => {
    const { publisher } = start();
    // @ts-expect-error JavaScript programs may pass anything.
    const failure = await failureOf(publisher.publish({ data: 'a' }, { signal: 5 }));
    assert.deepEqual(failure, ['no', 'signal: 5 is not an AbortSignal.']);
  });
});

describe('a received message that is passed on', () => {
  it('a received message keeps its key if it is published again with its headers and key', async () => {
    const { publisher, stream, roundTrip } = start();
    for (const [key, headers] of [
      ['user-7', { 'Natspoc-Key': 'user-7', trace: '1' }],
      [null, { trace: '1' }],
      [null, { 'Natspoc-Key': 'user-7' }],
      [undefined, { 'Natspoc-Key': 'user-7' }],
    ] as const)
      publisher.send(key === undefined ? { data: 'x', headers } : { data: 'x', key, headers });
    roundTrip();
    const places = stream.stored.map(({ subject }) => subject);
    assert.equal(places[0], places[2]);
    assert.equal(places[0], places[3]);
  });
});
