import assert from 'node:assert/strict';
import { fenceMember } from '../../src/core/admin/fence.js';
import { systemClock } from '../../src/core/lib/clock.js';
import type { Bucket } from '../../src/core/ports/index.js';
import { keys } from '../../src/core/protocol/keys.js';

describe('the fencing of a member', () => {
  it('a fence does not delete the session of a member if the time until its handlers stop cannot be read', async () => {
    const removed: string[] = [];
    const entry = { key: 'k', revision: 1, value: new Uint8Array(1) };
    const bucket: Partial<Bucket> = {
      read: async (key) => (key === keys.proof('g', 'S1') ? { kind: 'found', entry } : { kind: 'unknown' }),
      remove: async (key) => {
        removed.push(key);
        return { kind: 'ok', revision: 2 };
      },
    };
    // A fence uses only these parts.
    const fenced = await fenceMember({ bucket: bucket as Bucket, clock: systemClock }, 'g', 'S1');
    assert.equal(fenced.kind, 'failed');
    assert.deepEqual(removed, [keys.proof('g', 'S1')]);
  });
});
