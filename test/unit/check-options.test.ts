import assert from 'node:assert/strict';
import { NatspocError } from '../../src/core/lib/errors.js';
import { createPublisherConfig, joinGroupConfig } from '../../src/core/options/check.js';
import type { JoinGroupOptions } from '../../src/core/options/member.js';

const join = (options: unknown) => joinGroupConfig(options as JoinGroupOptions);
const withHandler = (options: object) => join({ handler: () => {}, ...options });

const refusal = (pattern: RegExp) => (error: unknown) => {
  assert.ok(error instanceof NatspocError, String(error));
  assert.equal(error.code, 'config');
  assert.match(error.message, pattern);
  assert.equal(error.message.split('\n').length, 1);
  return true;
};

describe('options of the library', () => {
  it('options become settings, without the environment', () => {
    const config = withHandler({
      servers: ['nats://a:1', 'nats://b:2'],
      stream: 'S',
      group: 'g',
      ttlMs: 12_345.5,
      bufferBytes: 65_536,
      backoff: { baseMs: 1, maxMs: 2 },
      onFailure: 'skip',
      concurrency: undefined,
    });
    assert.deepEqual(config.server, ['nats://a:1', 'nats://b:2']);
    assert.deepEqual([config.ttlMs, config.bufferBytes, config.onFailure], [12_345.5, 65_536, 'skip']);
    assert.deepEqual([config.backoff, config.concurrency], [{ baseMs: 1, maxMs: 2 }, 1]);
    assert.deepEqual([config.bucket, config.prefix], ['S_leases', 'subject.events']);
    assert.ok(config.given.has('stream') && !config.given.has('prefix') && !config.given.has('concurrency'));
    assert.deepEqual(
      [config.place('server'), config.option('partitions')],
      ['option "servers"', 'option "partitions"'],
    );
  });

  for (const [from, expected] of [
    ['first', { kind: 'first' }],
    ['new', { kind: 'new' }],
    ['seq:9', { kind: 'sequence', sequence: 9 }],
    ['time:1970-01-01T00:00:01Z', { kind: 'time', time: new Date(1_000) }],
    [{ kind: 'new' }, { kind: 'new' }],
    [
      { kind: 'sequence', sequence: 9 },
      { kind: 'sequence', sequence: 9 },
    ],
    [
      { kind: 'time', time: new Date(1_000) },
      { kind: 'time', time: new Date(1_000) },
    ],
  ] as const) {
    it(`the option "from" is accepted: ${JSON.stringify(from)}`, () =>
      assert.deepEqual(withHandler({ from }).from, expected));
  }

  for (const [options, pattern] of [
    [{ from: 'newest' }, /^from: "newest" is not 'first', 'new', 'seq:N' or 'time:ISO-8601'/],
    [{ from: 'seq:0' }, /^from: "seq:0" is not/],
    [{ from: { kind: 'sequence', sequence: -1 } }, /^from: \{"kind":"sequence","sequence":-1\} is not/],
    [{ from: { kind: 'time', time: 'yesterday' } }, /^from: \{"kind":"time","time":"yesterday"\} is not/],
    [{ from: { kind: 'time', time: new Date(Number.NaN) } }, /^from: .* is not/],
    [{ batchHandler: () => {} }, /^handler and batchHandler exclude each other/],
    [{ handler: undefined, batch: { messages: 3 } }, /^batch needs a batchHandler\.$/],
    [{ schema: {} }, /^schema: .* is not a schema of zod/],
    [
      { schema: { '~standard': { version: 1, validate() {} } }, decode() {} },
      /^schema and decode exclude each other/,
    ],
    [{ handler: undefined, batchHandler: 3 }, /^batchHandler: 3 is not a function/],
    [{ batch: { messages: 3 } }, /^batch needs a batchHandler\.$/],
    [{ batch: { messages: 0 } }, /^batch: \{"messages":0\} is not an object with messages/],
    [{ batch: { size: 3 } }, /^batch: .* is not/],
    [
      { handler: undefined, batchHandler: () => {}, concurrency: 2 },
      /^concurrency is 1 with a batchHandler: leave it out\.$/,
    ],
    [{ handler: 3 }, /^handler: 3 is not a function/],
    [{ barrier: 5 }, /^barrier: 5 is not a function/],
    [{ listen: {} }, /^listen: \{\} is not a function/],
    [{ health: {} }, /^health: \{\} is not an object with a port/],
    [{ health: { port: 99_999 } }, /^health: \{"port":99999\} is not/],
    [{ health: { port: 1, prot: 2 } }, /^health: .* is not/],
    [{ health: 9_464 }, /^health: 9464 is not/],
    [{ concurrency: '3' }, /^concurrency: "3" is not a whole number from 1 to 10000\.$/],
    [{ concurrency: 1.5 }, /^concurrency: 1\.5 is not a whole number/],
    [{ concurrency: Number.NaN }, /^concurrency: NaN is not/],
    [{ partitions: 0 }, /^partitions: 0 is not/],
    [{ prefix: 'x'.repeat(1_025) }, /^prefix: "x+… is not a subject .* of at most 1024 bytes/],
    [{ prefix: 'é'.repeat(513) }, /^prefix: "é+… is not/],
    [{ filter: `${'x'.repeat(1_024)}.>` }, /^filter: "x+… is not a subject .* of at most 1024 bytes/],
    [{ inboxPrefix: 'x'.repeat(1_025) }, /^inboxPrefix: "x+… is not a subject .* of at most 1024 bytes/],
    [{ ttlMs: '10s' }, /^ttlMs: "10s" is not a number of milliseconds from 1000 to 3600000\.$/],
    [{ ttlMs: 5 }, /^ttlMs: 5 is not/],
    [{ handlerTimeoutMs: Number.POSITIVE_INFINITY }, /^handlerTimeoutMs: Infinity is not/],
    [{ bufferBytes: 5n }, /^bufferBytes: 5n is not a number of bytes/],
    [{ maxAttempts: 0 }, /^maxAttempts: 0 is not a whole number from 1/],
    [{ backoff: { baseMs: 10, maxMs: 1 } }, /^backoff: \{"baseMs":10,"maxMs":1\} is not a first delay/],
    [{ backoff: 100 }, /^backoff: 100 is not/],
    [{ onFailure: 'deadletter' }, /^onFailure: "deadletter" is not halt, dead-letter or skip/],
    [{ group: 'a b' }, /^group: "a b" is not/],
    [{ group: null }, /^group: null is not/],
    [{ name: '' }, /^name: "" is not/],
    [{ name: 'x'.repeat(200) }, /^name: "x{59}… is not/],
    [{ guardRejections: 'yes' }, /^guardRejections: "yes" is not true or false/],
    [{ logger: {} }, /^logger: \{\} is not false, or an object/],
    [{ signal: {} }, /^signal: \{\} is not an AbortSignal/],
    [{ servers: [] }, /^servers: "" is not/],
    [{ servers: 5 }, /^servers: "5" is not/],
    [{ servers: 'nats://me:secret@h:99999' }, /^servers: "nats:\/\/h:99999" is not/],
    [
      { connection: {} },
      /^connection: \{\} is not a connection of the client "nats", version 2\. A connection of @nats-io, .* or pass servers\.$/,
    ],
    [{ concurrncy: 3 }, /^joinGroup has no option "concurrncy"\. Did you mean concurrency\?$/],
    [{ ttl: 3 }, /^joinGroup has no option "ttl"\. Did you mean ttlMs\?$/],
    [{ constructor: 3 }, /^joinGroup has no option "constructor"\. Options: connection, servers, /],
  ] as const) {
    it(`options are refused with ${pattern.source}`, () =>
      assert.throws(() => withHandler(options), refusal(pattern)));
  }

  it('secret options never appear in an error', () => {
    assert.throws(
      () => withHandler({ servers: ['nats://a', `me:${'secret'.repeat(20)}@h:99999`] }),
      (error) => !String(error).includes('secret'),
    );
  });

  it('options must be an object', () => {
    for (const options of [undefined, null, 'nats://a', []])
      assert.throws(() => join(options), refusal(/^joinGroup takes an object of options, not /));
  });

  it('options of a publisher are checked too', () => {
    const publisher = (options: object) => createPublisherConfig(options);
    assert.equal(publisher({ maxPendingMessages: 5 }).maxPendingMessages, 5);
    for (const [options, pattern] of [
      [{ maxPendingMessages: '5' }, /^maxPendingMessages: "5" is not a whole number/],
      [{ maxPendingBytes: 0 }, /^maxPendingBytes: 0 is not/],
      [{ dedupe: 1 }, /^dedupe: 1 is not true or false/],
      [{ observer: { confirmed: 3 } }, /^observer: \{"confirmed":3\} is not/],
      [{ group: 'g' }, /^createPublisher has no option "group"/],
      [{ dedup: true }, /Did you mean dedupe\?$/],
    ] as const)
      assert.throws(() => publisher(options), refusal(pattern));
  });
});
