import assert from 'node:assert/strict';
import fc from 'fast-check';
import { backoffMs, isBackoff, nextStep, parseBackoff } from '../../src/core/config/retry.js';

describe('retrying', () => {
  it('the delay doubles up to the cap, and half of it is random', () => {
    const backoff = { baseMs: 100, maxMs: 1_000 };
    const at = (random: number) => [1, 2, 3, 4, 5, 50].map((attempt) => backoffMs(backoff, attempt, random));
    assert.deepEqual(at(1), [100, 200, 400, 800, 1_000, 1_000]);
    assert.deepEqual(at(0), [50, 100, 200, 400, 500, 500]);
  });

  it('the delay is never less than half of the first delay, nor more than the cap', () => {
    fc.assert(
      fc.property(
        fc.nat(10_000),
        fc.nat(100_000),
        fc.integer({ min: 1, max: 1_000_000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (baseMs, more, attempt, random) => {
          const maxMs = baseMs + more;
          const delay = backoffMs({ baseMs, maxMs }, attempt, random);
          assert.ok(delay >= baseMs / 2 && delay <= maxMs, String(delay));
        },
      ),
    );
  });

  it('a message is retried until the last attempt, and then the policy is followed', () => {
    const policy = { maxAttempts: 2, backoff: { baseMs: 10, maxMs: 10 }, onExhausted: 'skip' as const };
    assert.deepEqual(nextStep(policy, 1, 1), { kind: 'retry', delayMs: 10 });
    assert.deepEqual(nextStep(policy, 2, 1), { kind: 'skip' });
  });

  for (const [text, expected] of [
    ['100ms', { baseMs: 100, maxMs: 30_000 }],
    ['1s..2m', { baseMs: 1_000, maxMs: 120_000 }],
    ['1m', { baseMs: 60_000, maxMs: 60_000 }],
    ['1h..1d', { baseMs: 3_600_000, maxMs: 86_400_000 }],
    ['2s..1s', undefined],
    ['25h', undefined],
    ['100ms..25h', undefined],
    ['1s..2s..3s', undefined],
    ['100', undefined],
    ['1s..', undefined],
    ['', undefined],
  ] as const) {
    it(`the backoff ${JSON.stringify(text)} is parsed`, () => assert.deepEqual(parseBackoff(text), expected));
  }

  it('a backoff consists of a first delay and a cap, and any other value is rejected', () => {
    assert.equal(isBackoff({ baseMs: 0, maxMs: 86_400_000 }), true);
    for (const other of [
      undefined,
      100,
      { baseMs: 1 },
      { baseMs: '1', maxMs: 2 },
      { baseMs: -1, maxMs: 1 },
      { baseMs: 2, maxMs: 1 },
      { baseMs: 1, maxMs: 86_400_001 },
      { baseMs: 1, maxMs: 1, max: 2 },
      { baseMs: Number.NaN, maxMs: 1 },
    ])
      assert.equal(isBackoff(other), false, JSON.stringify(other));
  });
});
