import assert from 'node:assert/strict';
import { NatsError } from 'nats';
import { HighWater } from '../../src/core/member/engine/high-water.js';
import type { NatsHandles } from '../../src/core/nats/client/handles.js';
import { NatsBucket } from '../../src/core/nats/kv/bucket.js';
import type { Bucket, WriteOutcome } from '../../src/core/ports/index.js';
import { ManualClock } from '../support/manual-clock.js';

/** The member's bucket on a server without responders for its writes. A question about the bucket's stream fails with `error`. */
function bucketWithout(error: Error, apiPrefix = '$JS.API') {
  const clock = new ManualClock();
  const manager = { getOptions: () => ({ apiPrefix }), streams: { info: () => Promise.reject(error) } };
  const connection = { request: () => Promise.reject(new NatsError('503', '503')) };
  // A write uses only these parts of the client.
  const handles = { connection, manager, clock, inboxPrefix: undefined } as unknown as NatsHandles;
  return new HighWater(new NatsBucket(handles, 'B', 500), clock, () => {});
}

describe('a write that no server receives', () => {
  const nobody = new NatsError('503', '503');
  const write = (bucket: HighWater) => bucket.write('k', new Uint8Array(1), 0);

  it('a member knows that no JetStream answers in its domain, so that it does not report slow answers', async () => {
    const bucket = bucketWithout(nobody, '$JS.hub.API');
    assert.equal((await write(bucket)).kind, 'unknown');
    assert.match(bucket.refusal ?? '', /^JetStream does not answer in domain hub: .*[^.]$/);
  });

  it('a member knows that JetStream is disabled', async () => {
    const bucket = bucketWithout(nobody);
    await write(bucket);
    assert.match(bucket.refusal ?? '', /^JetStream does not answer: it is disabled/);
  });

  it('a member does not blame JetStream any more once it answers, although the bucket still has no quorum', async () => {
    const outcomes: WriteOutcome[] = [
      { kind: 'unknown', refusal: 'bucket B refuses writes (full)' },
      { kind: 'unknown', unheard: 'JetStream does not answer in domain hub' },
      { kind: 'unknown' },
      { kind: 'ok', revision: 1 },
    ];
    const source = { write: async () => outcomes.shift() ?? { kind: 'unknown' } } as unknown as Bucket;
    const bucket = new HighWater(source, new ManualClock(), () => {});
    const reasons: (string | undefined)[] = [];
    while (outcomes.length > 0) {
      await write(bucket);
      reasons.push(bucket.refusal);
    }
    assert.deepEqual(reasons, [
      'bucket B refuses writes (full)',
      'JetStream does not answer in domain hub',
      'bucket B refuses writes (full)',
      undefined,
    ]);
  });

  it('a bucket without a leader is no reason to report that JetStream is disabled', async () => {
    const bucket = bucketWithout(new NatsError('TIMEOUT', 'TIMEOUT'));
    assert.equal((await write(bucket)).kind, 'unknown');
    assert.equal(bucket.refusal, undefined);
  });
});
