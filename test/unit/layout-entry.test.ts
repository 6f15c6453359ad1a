import assert from 'node:assert/strict';
import { readGroupLayout } from '../../src/core/nats/stream/group-layout.js';
import type { Bucket, ReadOutcome } from '../../src/core/ports/index.js';

describe('the entry of a layout', () => {
  it('a layout is read again if the bucket has no leader at first', async () => {
    const outcomes: ReadOutcome[] = [{ kind: 'unknown' }, { kind: 'unknown' }, { kind: 'missing' }];
    const bucket = { read: async () => outcomes.shift() ?? { kind: 'unknown' } } as unknown as Bucket;
    assert.deepEqual(await readGroupLayout(bucket, 'g'), { layout: undefined, revision: 0 });
    assert.deepEqual(outcomes, []);
  });
});
