import assert from 'node:assert/strict';
import { NatsError } from 'nats';
import type { NatsHandles } from '../../src/core/nats/client/handles.js';
import { NatsEventStream } from '../../src/core/nats/jetstream/event-stream.js';
import { NatsBucket } from '../../src/core/nats/kv/bucket.js';
import { layoutSubjects } from '../../src/core/protocol/layout.js';
import { settle } from '../support/fake-partition.js';
import { ManualClock } from '../support/manual-clock.js';

function notFound(): NatsError {
  const error = new NatsError('stream not found', '404');
  error.api_error = { code: 404, err_code: 10_059, description: 'stream not found' };
  return error;
}

/** A server that does not know its streams until `knownAt`. From then on, it answers if `isHeard`. */
function server(knownAt: number, isHeard = true) {
  const clock = new ManualClock();
  let looked = 0;
  const find = async () => {
    looked++;
    if (clock.now() < knownAt) throw notFound();
    return isHeard ? {} : new Promise(() => {});
  };
  const missing = async (): Promise<never> => {
    throw notFound();
  };
  const manager = {
    getOptions: () => ({ apiPrefix: '$JS.API' }),
    streams: { info: find, getMessage: missing },
    consumers: { add: missing },
  };
  const connection = { request: () => Promise.reject(new NatsError('503', '503')) };
  const handles = { connection, manager, clock, inboxPrefix: undefined } as unknown as NatsHandles;
  /** The outcomes of requests that begin at the same time, and when the last one arrived. */
  const outcomes = async (...requests: Promise<{ kind: string }>[]) => {
    let kinds: string[] | undefined;
    void Promise.all(requests).then((all) => {
      kinds = all.map(({ kind }) => kind);
    });
    await settle();
    while (!kinds && clock.now() < 10_000) {
      clock.advance(100);
      await settle();
    }
    return { kinds, at: clock.now(), looked };
  };
  return {
    bucket: new NatsBucket(handles, 'B', 500),
    stream: new NatsEventStream(handles, 'B', layoutSubjects('b')),
    outcomes,
  };
}

describe('a stream or bucket that the server does not know', () => {
  const value = new Uint8Array(1);

  it('a bucket that reappears while JetStream is being enabled only makes the outcomes of requests unknown', async () => {
    const { bucket, outcomes } = server(300);
    const { kinds, at } = await outcomes(
      bucket.read('k'),
      bucket.write('k', value, 0),
      bucket.remove('k', 1),
    );
    assert.deepEqual(kinds, ['unknown', 'unknown', 'unknown']);
    assert.equal(at, 300);
  });

  it('a look-up of a missing bucket that gets no answer holds back a renewal for a second, not for two', async () => {
    const { bucket, outcomes } = server(300, false);
    const { kinds, at } = await outcomes(bucket.write('k', value, 0));
    assert.deepEqual(kinds, ['unknown']);
    assert.ok(at <= 1_400, String(at));
  });

  it('a bucket that is missing for two seconds is gone for good, and all requests share the search for it', async () => {
    const { bucket, outcomes } = server(Number.POSITIVE_INFINITY);
    const { kinds, at, looked } = await outcomes(bucket.read('a'), bucket.read('b'), bucket.read('c'));
    assert.deepEqual(kinds, ['failed', 'failed', 'failed']);
    assert.equal(at, 2_000);
    assert.equal(looked, 20);
  });

  it('a stream that reappears while JetStream is being enabled is read again, and a missing stream fails', async () => {
    const sink = { message: () => {}, fault: () => {} };
    const options = {
      name: 'r',
      partition: null,
      startSequence: 1,
      window: { messages: 10, bytes: 1_000 },
      concurrency: 1,
    };
    for (const [knownAt, expected] of [
      [300, 'unknown'],
      [Number.POSITIVE_INFINITY, 'failed'],
    ] as const) {
      const { stream, outcomes } = server(knownAt);
      assert.deepEqual((await outcomes(stream.open(options, sink))).kinds, [expected]);
    }
  });
});
