import assert from 'node:assert/strict';
import fc from 'fast-check';
import { LatencyRecorder } from '../../src/cli/publish/latency.js';

describe('LatencyRecorder', () => {
  it('a recorder without values reports zeros', () => {
    const { min, avg, p50, max } = new LatencyRecorder().summary();
    assert.deepEqual([min, avg, p50, max], [0, 0, 0, 0]);
  });

  it('recorded latencies agree with sorted values to three digits', () => {
    const values = fc.array(fc.double({ min: 0.001, max: 4_000_000, noNaN: true }), {
      minLength: 1,
      maxLength: 300,
    });
    fc.assert(
      fc.property(values, (latencies) => {
        const recorder = new LatencyRecorder();
        for (const ms of latencies) recorder.record(ms);
        const sorted = latencies.toSorted((a, b) => a - b);
        const summary = recorder.summary();
        for (const [share, found] of [
          [0.5, summary.p50],
          [0.9, summary.p90],
          [0.99, summary.p99],
        ] as const) {
          const exact = sorted[Math.ceil(sorted.length * share) - 1] ?? 0;
          assert.ok(Math.abs(found - exact) <= exact / 1_000 + 0.001, `${found} for ${exact}`);
        }
        for (const ms of Object.values(summary)) {
          assert.equal(ms, Number(ms.toFixed(3)), 'three decimals, as the recorder counts microseconds');
        }
        assert.ok(Math.abs(summary.max - (sorted.at(-1) ?? 0)) <= 0.001);
        assert.ok(Math.abs(summary.min - (sorted[0] ?? 0)) <= 0.001);
      }),
    );
  });

  it('values that are out of range are clamped', () => {
    const recorder = new LatencyRecorder();
    recorder.record(-1);
    recorder.record(1e12);
    assert.equal(recorder.summary().p50, 0);
    assert.ok(recorder.summary().p99 > 4_000_000);
  });
});
