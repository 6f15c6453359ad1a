import assert from 'node:assert/strict';
import { changeOverride, changeOverrides } from '../../src/core/admin/overrides.js';
import type { Bucket, WriteOutcome } from '../../src/core/ports/index.js';

/** An empty bucket that answers each write with this outcome. */
const answering = (outcome: WriteOutcome) =>
  ({ read: async () => ({ kind: 'missing' }), write: async () => outcome }) as unknown as Bucket;

describe('a pause that cannot be written', () => {
  it("the error of a pause names the server's reason, or says that the server did not answer", async () => {
    const full = answering({ kind: 'unknown', refusal: 'bucket B refuses writes (maximum bytes exceeded)' });
    await assert.rejects(changeOverride(full, 'g', 3, { paused: true }, 'me'), {
      code: 'storage-failed',
      message: 'Could not write group.g.override.3: bucket B refuses writes (maximum bytes exceeded).',
    });
    await assert.rejects(changeOverride(answering({ kind: 'unknown' }), 'g', 3, { paused: true }, 'me'), {
      code: 'unreachable',
    });
  });
});

describe('pauses of many partitions', () => {
  it('pauses of many partitions are written at most 16 at a time, and the previous states are returned', async () => {
    let [inFlight, most] = [0, 0];
    const bucket = {
      read: async () => ({ kind: 'missing' }),
      write: async () => {
        most = Math.max(most, ++inFlight);
        await new Promise(setImmediate);
        inFlight--;
        return { kind: 'ok', revision: 1 };
      },
    } as unknown as Bucket;
    const partitions = Array.from({ length: 40 }, (_, partition) => partition);
    const before = await changeOverrides(bucket, 'g', partitions, { paused: true }, 'me');
    assert.equal(most, 16);
    assert.deepEqual([...before.keys()], partitions);
    assert.deepEqual(before.get(39), { pin: null, paused: false });
  });
});
