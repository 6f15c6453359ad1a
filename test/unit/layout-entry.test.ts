import assert from 'node:assert/strict';
import { ErrorCode, NatsError } from 'nats';
import type { NatsHandles } from '../../src/core/nats/client/handles.js';
import { NatsBucket } from '../../src/core/nats/kv/bucket.js';
import { readGroupLayout } from '../../src/core/nats/stream/group-layout.js';
import type { Bucket, ReadOutcome } from '../../src/core/ports/index.js';

describe('the entry of a layout', () => {
  it('a layout is read again if the bucket has no leader at first', async () => {
    const outcomes: ReadOutcome[] = [{ kind: 'unknown' }, { kind: 'unknown' }, { kind: 'missing' }];
    const bucket = { read: async () => outcomes.shift() ?? { kind: 'unknown' } } as unknown as Bucket;
    assert.deepEqual(await readGroupLayout(bucket, 'g', 5_000), { layout: undefined, revision: 0 });
    assert.deepEqual(outcomes, []);
  });

  it('a layout is read for as long as the caller waits', async () => {
    const bucket = { read: async () => ({ kind: 'unknown' }) } as unknown as Bucket;
    const startedAt = performance.now();
    await assert.rejects(
      readGroupLayout(bucket, 'g', 600),
      /Could not read the layout: the server did not answer in time/,
    );
    assert.ok(performance.now() - startedAt < 2_000);
  });

  it('a read on a closed connection fails at once, with the reason', async () => {
    const closed = NatsError.errorForCode(ErrorCode.ConnectionClosed);
    const manager = {
      getOptions: () => ({ apiPrefix: '$JS.API' }),
      streams: { getMessage: () => Promise.reject(closed) },
    };
    const handles = { connection: {}, manager, inboxPrefix: undefined } as unknown as NatsHandles;
    const startedAt = performance.now();
    await assert.rejects(
      readGroupLayout(new NatsBucket(handles, 'B', 500), 'g', 5_000),
      /the connection to NATS was lost/,
    );
    assert.ok(performance.now() - startedAt < 400);
  });
});
