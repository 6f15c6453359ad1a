import assert from 'node:assert/strict';
import fc from 'fast-check';
import { newestPart } from '../../src/core/nats/jetstream/newest-part.js';

describe('the newest part of a stream', () => {
  it('the newest part of a stream holds between half of the limit and the limit, wherever the messages are', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.integer({ min: 1, max: 10_000 }), { minLength: 1, maxLength: 200 }),
        fc.integer({ min: 2, max: 50 }),
        async (sequences, limit) => {
          const behind = (from: number): number => sequences.filter((sequence) => sequence >= from).length;
          const newest = Math.max(...sequences);
          const part = behind(await newestPart(async (from) => behind(from), newest, limit));
          assert.ok(part <= limit && part > Math.min(sequences.length, limit) / 2 - 1, `${part} of ${limit}`);
          assert.ok(part > 0);
        },
      ),
    );
  });
});
