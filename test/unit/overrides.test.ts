import assert from 'node:assert/strict';
import { changeOverride } from '../../src/core/admin/overrides.js';
import type { Bucket, WriteOutcome } from '../../src/core/ports/index.js';

/** An empty bucket that answers each write like this. */
const answering = (outcome: WriteOutcome) =>
  ({ read: async () => ({ kind: 'missing' }), write: async () => outcome }) as unknown as Bucket;

describe('a pause that cannot be written', () => {
  it("names the server's reason, or that it did not answer", async () => {
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
