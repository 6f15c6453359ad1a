import assert from 'node:assert/strict';
import fc from 'fast-check';
import { searchTime } from '../../src/core/nats/jetstream/sequence-at-time.js';

describe('the first sequence of a time', () => {
  it('the first sequence of a time is found despite deleted messages, within the bounds of the stream', async () => {
    const stored = fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { minLength: 1 });
    await fc.assert(
      fc.asyncProperty(stored, fc.integer({ min: -1, max: 70 }), async (sequences, at) => {
        // One message is stored each millisecond, so sequences equal times.
        const left = [...sequences].sort((a, b) => a - b);
        const first = left[0] ?? 1;
        const from = async (sequence: number) => {
          const found = left.find((each) => each >= sequence);
          return found === undefined ? undefined : { sequence: found, atMs: found };
        };
        const answer = await searchTime({ first, last: 60, from }, at);
        assert.ok(answer >= first && answer <= 61);
        assert.deepEqual(
          left.filter((each) => each >= answer),
          left.filter((each) => each >= at),
        );
      }),
    );
  });
});
