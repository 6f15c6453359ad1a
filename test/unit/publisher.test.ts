import assert from 'node:assert/strict';
import { runInNewContext } from 'node:vm';
import { NatspocError } from '../../src/core/lib/errors.js';
import { Publisher } from '../../src/core/publisher/publisher.js';
import type { PublisherOptions } from '../../src/core/publisher/publisher-options.js';
import { ManualClock } from '../support/manual-clock.js';
import { ModelStream } from '../support/model-stream.js';

function start(options: Partial<PublisherOptions> = {}) {
  const clock = new ManualClock();
  const stream = new ModelStream();
  const endings: string[] = [];
  const publisher = new Publisher({
    layout: { prefix: 'test', partitions: 4 },
    openPort: stream.open,
    clock,
    timeoutMs: 1_000,
    maxPendingMessages: 4,
    observer: {
      confirmed: ({ data }, partition, sequence, duplicate, dueMs, nowMs) =>
        endings.push(`${data} p${partition} #${sequence} ${duplicate} ${nowMs - dueMs}`),
      failed: ({ data }, { outcome, error }) => endings.push(`${data} ${outcome} ${error.code}`),
    },
    ...options,
  });
  const roundTrip = () => {
    stream.handle();
    stream.answer();
  };
  return { clock, stream, endings, publisher, roundTrip };
}

const send = (publisher: Publisher, ...data: string[]) => data.map((text) => publisher.send({ data: text }));
const withCode = (code: string) => (error: unknown) => error instanceof NatspocError && error.code === code;

describe('Publisher', () => {
  it('a publisher sends to partitions in turn, and a key always to its partition', () => {
    const { stream, publisher, roundTrip } = start({ maxPendingMessages: 20 });
    send(publisher, 'a', 'b', 'c', 'd', 'e');
    publisher.send({ data: 'f', key: 'user-7' });
    publisher.send({ data: 'g', key: 'user-7', partition: 1 });
    roundTrip();
    const subjects = stream.stored.map(({ subject }) => subject.slice('test.p.'.length));
    assert.deepEqual(subjects, ['0', '1', '2', '3', '0', '2', '1']);
  });

  it('a confirmation has partition, sequence and latency from the due time', async () => {
    const { clock, endings, publisher, roundTrip } = start();
    clock.advance(100);
    publisher.send({ data: 'late' }, 60);
    const confirmation = publisher.publish({ data: 'now', partition: 3 });
    clock.advance(5);
    roundTrip();
    assert.deepEqual(await confirmation, { partition: 3, sequence: 2, duplicate: false });
    assert.deepEqual(endings, ['late p0 #1 false 45', 'now p3 #2 false 5']);
  });

  it('a publisher checks deadlines with one timer, even if messages expire again and again while others are queued', () => {
    const { clock, publisher } = start();
    // A message every 100 ms, which fails after a second: 4 are in the window, and 6 wait.
    for (let i = 0; i < 100; i++) {
      publisher.send({ data: String(i) });
      clock.advance(100);
    }
    assert.equal(clock.timers, 1);
  });

  it('a message has one outcome, even if an observer stops the publisher while it gets the confirmation', () => {
    const endings: string[] = [];
    const { publisher, roundTrip } = start({
      observer: {
        confirmed: ({ data }) => {
          endings.push(`${data} confirmed`);
          publisher.abandon();
        },
        failed: ({ data }, { outcome }) => endings.push(`${data} ${outcome}`),
      },
    });
    send(publisher, 'a', 'b');
    roundTrip();
    assert.deepEqual(endings, ['a confirmed', 'b unknown']);
    assert.equal(publisher.pending, 0);
  });

  it('a publisher keeps to its window in messages, and reports when there is room', async () => {
    const { stream, publisher, roundTrip } = start();
    const [first, , , last] = send(publisher, 'a', 'b', 'c', 'd');
    assert.equal(first, undefined);
    const [over] = send(publisher, 'e');
    assert.equal(stream.inTransit, 4);
    assert.equal(publisher.pending, 5);
    stream.handle(2);
    stream.answer(1);
    assert.equal(stream.inTransit, 3, 'the waiting message has entered');
    roundTrip();
    await Promise.all([last, over]);
    roundTrip();
    assert.equal(publisher.pending, 0);
  });

  it('a publisher keeps to its window in bytes, with room for one message of any size', () => {
    const { stream, publisher, roundTrip } = start({ maxPendingBytes: 100 });
    send(publisher, 'x'.repeat(300), 'y');
    assert.equal(stream.inTransit, 1);
    roundTrip();
    assert.equal(stream.inTransit, 1);
    roundTrip();
    assert.equal(stream.stored.length, 2);
  });

  it('a publisher rejects a message that is too large or has no valid address, without sending it', async () => {
    const { stream, publisher, endings } = start();
    send(publisher, 'x'.repeat(1_001));
    publisher.send({ data: 'a', partition: 4 });
    for (const key of ['', ' a', 'a\n', 'a\u0000b']) publisher.send({ data: 'b', key });
    publisher.send({ data: 'c', headers: { 'bad name': 'x' } });
    await assert.rejects(publisher.publish({ data: 'd', id: 'a\rb' }), withCode('usage'));
    assert.deepEqual([stream.inTransit, publisher.pending, endings.length], [0, 0, 8]);
    assert.equal(publisher.counters.rejected, 8);
    assert.match(endings[0] ?? '', /rejected not-confirmed$/);
  });

  it('a publisher reports a refusal with the message to which it belongs', async () => {
    const { stream, publisher, endings, roundTrip } = start();
    stream.refuse({ code: 10077, description: 'maximum messages exceeded', retryable: false });
    const refused = assert.rejects(publisher.publish({ data: 'a' }), /maximum messages exceeded \(10077\)/);
    send(publisher, 'b');
    roundTrip();
    await refused;
    assert.deepEqual(endings, ['a rejected not-confirmed', 'b p1 #1 false 0']);
  });

  it('a publisher resends temporarily refused messages in order, after a pause', () => {
    const { clock, stream, publisher, roundTrip } = start();
    const moment = { code: 10008, description: 'temporarily unavailable', retryable: true };
    stream.refuse(moment, moment);
    send(publisher, 'a', 'b');
    roundTrip();
    send(publisher, 'c');
    assert.equal(stream.inTransit, 0, 'no later message is sent first');
    clock.advance(30);
    roundTrip();
    assert.deepEqual(
      stream.stored.map(({ data }) => data),
      ['a', 'b', 'c'],
    );
    assert.deepEqual([publisher.counters.retried, publisher.counters.maybeTwice], [2, 0]);
  });

  it('a publisher reports a retry that was overtaken in its partition', () => {
    const { clock, stream, publisher, roundTrip } = start();
    stream.refuse({ code: 10008, description: 'temporarily unavailable', retryable: true });
    publisher.send({ data: 'a', key: 'k' });
    publisher.send({ data: 'b', key: 'k' });
    roundTrip();
    clock.advance(30);
    roundTrip();
    assert.equal(publisher.counters.reordered, 1);
  });

  it('a publisher fails a message after the timeout: as unknown if it was sent, as rejected if it was never sent', () => {
    const { clock, stream, publisher, endings } = start();
    send(publisher, 'a');
    stream.break(false);
    send(publisher, 'b');
    clock.advance(1_300);
    assert.deepEqual(endings, ['a unknown unreachable', 'b rejected unreachable']);
  });

  it('a publisher resends a message with an id if its answer is overdue, and accepts a late answer', () => {
    const { clock, stream, publisher, endings, roundTrip } = start({ dedupe: true });
    send(publisher, 'a');
    stream.handle();
    stream.loseAnswers();
    clock.advance(700);
    roundTrip();
    assert.equal(stream.stored.length, 1);
    assert.match(endings[0] ?? '', /^a p0 #1 true/);
    assert.deepEqual([publisher.counters.duplicates, publisher.counters.maybeTwice], [1, 0]);
  });

  it("a publisher relies on an id only within the stream's duplicate window", () => {
    for (const [duplicateWindowMs, maybeTwice] of [
      [500, 1],
      [800, 0],
    ] as const) {
      const { clock, stream, publisher, roundTrip } = start({ dedupe: true, duplicateWindowMs });
      send(publisher, 'a');
      stream.handle();
      stream.loseAnswers();
      clock.advance(700);
      roundTrip();
      assert.deepEqual([publisher.counters.retried, publisher.counters.maybeTwice], [1, maybeTwice]);
    }
  });

  it('a publisher does not send a message without an id twice while the connection holds', () => {
    const { clock, stream, publisher, endings } = start();
    send(publisher, 'a');
    stream.handle();
    stream.loseAnswers();
    clock.advance(900);
    assert.equal(stream.inTransit, 0);
    clock.advance(400);
    assert.deepEqual(endings, ['a unknown not-confirmed']);
    assert.equal(publisher.counters.retried, 0);
  });

  it('a publisher resends a message without an id if the server refuses later messages and never answers this message', () => {
    const { clock, stream, publisher, endings, roundTrip } = start();
    send(publisher, 'a', 'b');
    stream.handle(1);
    stream.loseAnswers();
    stream.refuse({ code: 503, description: 'no leader', retryable: true });
    roundTrip();
    assert.deepEqual(endings, []);
    clock.advance(700);
    roundTrip();
    assert.equal(endings.length, 2);
    assert.deepEqual(
      stream.stored.map(({ data }) => data),
      ['a', 'a', 'b'],
    );
    const { confirmed, retried, maybeTwice, reordered } = publisher.counters;
    assert.deepEqual([confirmed, retried, maybeTwice, reordered], [2, 2, 1, 0]);
  });

  it('a publisher waits for half a minute by default, because an election takes time', () => {
    const { clock, stream, publisher, endings, roundTrip } = start({ timeoutMs: undefined });
    const nobody = { code: 503, description: 'no leader', retryable: true };
    send(publisher, 'a');
    for (let second = 0; second < 20; second++) {
      stream.refuse(nobody);
      roundTrip();
      clock.advance(1_000);
    }
    roundTrip();
    assert.deepEqual(endings.length, 1);
    assert.match(endings[0] ?? '', /^a p0 #1 false/);
    send(publisher, 'b');
    clock.advance(31_000);
    assert.equal(endings.at(-1), 'b unknown not-confirmed');
  });

  it('a publisher resends all unconfirmed messages after a reconnect, before later messages', () => {
    for (const notice of [true, false]) {
      const { stream, publisher, roundTrip } = start();
      send(publisher, 'a', 'b');
      stream.handle(1);
      stream.break(notice);
      send(publisher, 'c');
      stream.restore();
      send(publisher, 'd');
      roundTrip();
      assert.deepEqual(
        stream.stored.map(({ data }) => data),
        ['a', 'a', 'b', 'c', 'd'],
      );
      const { confirmed, retried, maybeTwice, reordered } = publisher.counters;
      assert.deepEqual([confirmed, retried, maybeTwice, reordered], [4, 2, 2, 0]);
    }
  });

  it("a publisher does not count time in which the process was stopped as the server's silence", () => {
    const { clock, stream, publisher, endings, roundTrip } = start();
    send(publisher, 'a');
    stream.handle();
    clock.leap(60_000);
    assert.deepEqual(endings, []);
    roundTrip();
    assert.match(endings[0] ?? '', /^a p0 #1/);
  });

  it('a publisher immediately fails messages to a forbidden subject', () => {
    const { stream, publisher, endings, roundTrip } = start();
    send(publisher, 'a', 'b');
    stream.deny('test.p.0');
    roundTrip();
    assert.deepEqual(endings, ['a rejected not-permitted', 'b p1 #1 false 0']);
  });

  it('a message to a forbidden subject may be stored if an answer was lost, or if the subject was permitted before', () => {
    const { stream, publisher, endings, roundTrip } = start();
    send(publisher, 'a');
    stream.handle();
    stream.break(true);
    stream.restore();
    stream.deny('test.p.0');
    assert.deepEqual(endings, ['a unknown not-permitted']);
    publisher.send({ data: 'b', partition: 0 });
    roundTrip();
    publisher.send({ data: 'c', partition: 0 });
    publisher.send({ data: 'd', partition: 0 });
    stream.deny('test.p.0');
    publisher.send({ data: 'e', partition: 0 });
    stream.deny('test.p.0');
    assert.deepEqual(endings.slice(2), [
      'c unknown not-permitted',
      'd unknown not-permitted',
      'e rejected not-permitted',
    ]);
  });

  it('after the connection has ended, a publisher fails all messages, including messages that are published later', async () => {
    const { stream, publisher, endings } = start();
    send(publisher, 'a', 'b', 'c', 'd', 'e');
    stream.end(new NatspocError('unreachable', 'gone'));
    await assert.rejects(publisher.publish({ data: 'f' }), withCode('unreachable'));
    assert.deepEqual(
      endings.map((line) => line.slice(2)),
      [
        ...new Array<string>(4).fill('unknown unreachable'),
        ...new Array<string>(2).fill('rejected unreachable'),
      ],
    );
    await publisher.flush();
  });

  it('a publisher closes when all messages are answered, and accepts no further messages', async () => {
    const { clock, stream, publisher, roundTrip } = start();
    send(publisher, 'a');
    const closed = publisher.close();
    await assert.rejects(publisher.publish({ data: 'b' }), withCode('failed'));
    assert.equal(stream.closed, false);
    roundTrip();
    await closed;
    assert.equal(stream.closed, true);
    assert.equal(clock.timers, 0);
  });

  it('different publishers generate different ids, and given ids are kept', () => {
    const [first, second] = [start({ dedupe: true }), start({ dedupe: true })];
    for (const { publisher, roundTrip } of [first, second]) {
      send(publisher, 'a', 'b');
      publisher.send({ data: 'c', id: 'order-1' });
      roundTrip();
    }
    const ids = [first, second].map(({ stream }) => stream.stored.map(({ id }) => id));
    assert.equal(new Set(ids.flat()).size, 5);
    assert.deepEqual(
      ids.map((some) => some[2]),
      ['order-1', 'order-1'],
    );
  });

  describe('before a message enters the window', () => {
    const self: { self?: unknown } = {};
    self.self = self;
    const getter = {
      get data(): string {
        throw new Error('a bug');
      },
    };
    for (const [name, message, pattern] of [
      ['an object as data', { data: { a: 1 } }, /^data: \{"a":1\} is neither text nor bytes/],
      ['circular data', { data: self }, /^data: an object is neither/],
      ['a number as data', { data: 5 }, /^data: 5 is neither/],
      ['no data', {}, /^data: undefined is neither/],
      ['an ArrayBuffer as data', { data: new ArrayBuffer(1) }, /^data: an object \(ArrayBuffer\)/],
      ['no message', undefined, /^A message is an object with data, not undefined/],
      ['a text as message', 'hello', /^A message is an object with data, not "hello"/],
      ['a misspelled field', { data: 'x', kay: 'k' }, /^A message has no field "kay"\. Did you mean key\?$/],
      [
        'a field of its own',
        { data: 'x', order: 1 },
        /^A message has no field "order"\. Fields: data, key, /,
      ],
      ['a number as key', { data: 'x', key: 7 }, /^key: 7 is not text/],
      ['a bigint as key', { data: 'x', key: 5n }, /^key: 5n is not text/],
      ['an object as key', { data: 'x', key: {} }, /^key: \{\} is not text/],
      ['a number as id', { data: 'x', id: 7 }, /^id: 7 is not text/],
      ['a Map as headers', { data: 'x', headers: new Map() }, /^headers: /],
      ['an array as headers', { data: 'x', headers: [] }, /^headers: /],
      ['a number in headers', { data: 'x', headers: { 'X-N': 5 } }, /^The value of header X-N is 5/],
      ['a text as partition', { data: 'x', partition: '1' }, /^There is no partition "1"/],
      ['two keys', { data: 'x', key: 'a', headers: { 'Natspoc-Key': 'b' } }, /^key is "a", but the header/],
      ['two ids', { data: 'x', id: 'a', headers: { 'Nats-Msg-Id': 'b' } }, /^id is "a", but the header/],
      ['a key that headers cannot carry', { data: 'x', headers: { 'Natspoc-Key': 'a\n' } }, /^The key/],
      ['half of a surrogate pair as key', { data: 'x', key: '\ud800' }, /^The key "\\ud800" cannot travel/],
      [
        'half of a surrogate pair as id',
        { data: 'x', id: 'a\udc00' },
        /^The message id "a\\udc00" cannot travel/,
      ],
      [
        'half of a surrogate pair in a header',
        { data: 'x', headers: { 'X-Key': '\ud83d' } },
        /^The value of header X-Key "\\ud83d" cannot travel/,
      ],
      ['a message that throws', getter, /^a bug$/],
    ] as const) {
      it(`a publisher refuses ${name}, and the next message is sent`, async () => {
        const { publisher, roundTrip } = start({ observer: {} });
        const refused = publisher.publish(message as never);
        await assert.rejects(
          refused,
          (error) => withCode('usage')(error) && pattern.test(String(Object(error).message)),
        );
        assert.equal(publisher.send(message as never), undefined);
        assert.equal(publisher.pending, 0);
        const next = publisher.publish({ data: 'y' });
        roundTrip();
        assert.equal((await next).sequence, 1);
        await publisher.close();
      });
    }
  });

  it('a publisher accepts bytes of another realm', async () => {
    const { publisher, stream, roundTrip } = start();
    const data: Uint8Array = runInNewContext('new Uint8Array([104, 105])');
    publisher.send({ data });
    roundTrip();
    assert.equal(stream.stored[0]?.data, 'hi');
  });

  it('a publisher uses a key and an id that are given in the headers', () => {
    const { publisher, stream, roundTrip } = start({ maxPendingMessages: 20, dedupe: true });
    const headers = { 'Natspoc-Key': 'user-7', 'X-Trace': '1' };
    publisher.send({ data: 'a', key: 'user-7', id: 'one' });
    publisher.send({ data: 'b', headers: { ...headers, 'Nats-Msg-Id': 'two' } });
    publisher.send({ data: 'c', headers, key: 'user-7', id: 'three' });
    publisher.send({ data: 'd', headers, key: null, id: 'four' });
    roundTrip();
    assert.equal(new Set(stream.stored.map(({ subject }) => subject)).size, 1);
    assert.deepEqual(
      stream.stored.map(({ id }) => id),
      ['one', 'two', 'three', 'four'],
    );
    for (const stored of stream.stored) {
      assert.equal(stored.headers.split('Natspoc-Key: user-7\r\n').length, 2, 'the key, once');
      assert.equal(stored.headers.split('Nats-Msg-Id: ').length, 2, 'an id, once');
    }
  });

  it('a publisher frees the place of a message if the connection throws', async () => {
    const { clock, publisher, stream, endings, roundTrip } = start();
    stream.throws.push(new Error('no'));
    const failing = publisher.publish({ data: 'a' });
    await assert.rejects(
      failing,
      (error) => withCode('failed')(error) && /not sent: no\.$/.test(String(error)),
    );
    send(publisher, 'b');
    roundTrip();
    // The connection also throws when the message is sent again. A caller then waits for all messages.
    send(publisher, 'c');
    stream.break(true);
    stream.throws.push(new Error('again'));
    const closed = publisher.close();
    stream.restore();
    await closed;
    assert.deepEqual(endings, ['a rejected failed', 'b p1 #1 false 0', 'c unknown failed']);
    assert.equal(clock.timers, 0);
  });
});
