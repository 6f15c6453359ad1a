import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describeTrend, formatMemoryLine, MemoryMonitor } from '../../src/core/member/stats/memory.js';
import { judgeTrend, lowEnvelope, medianSlope, type UsePoint } from '../../src/core/member/stats/trend.js';

const MB = 1_048_576;
const points = (count: number, bytes: (i: number) => number): UsePoint[] =>
  Array.from({ length: count }, (_, i) => ({ atMs: i * 10_000, bytes: bytes(i) }));

describe('the trend of memory', () => {
  it('the trend of memory is unknown during the first minute', () => {
    assert.deepEqual(judgeTrend([], 0.1), { kind: 'unknown' });
    assert.deepEqual(
      judgeTrend(
        points(6, (i) => i * MB),
        0.1,
      ),
      { kind: 'unknown' },
    );
  });

  it('the trend of memory is stable for the saw-tooth of garbage collection and for a single burst', () => {
    assert.deepEqual(
      judgeTrend(
        points(30, (i) => (20 + (i % 5)) * MB),
        0.1,
      ),
      { kind: 'stable' },
    );
    assert.deepEqual(
      judgeTrend(
        points(30, (i) => (i === 29 ? 200 : 20) * MB),
        0.1,
      ),
      { kind: 'stable' },
    );
  });

  it('the trend of memory is stable if memory fills once and levels off', () => {
    const warmUp = points(20, (i) => (20 + 10 * Math.min(1, i / 9)) * MB);
    assert.deepEqual(judgeTrend(warmUp, 0.1), { kind: 'stable' });
  });

  it('the trend of memory grows by the rate of a leak, despite noise', () => {
    const leak = judgeTrend(
      points(30, (i) => (20 + i * 0.2 + (i % 3) * 0.3) * MB),
      0.1,
    );
    assert.equal(leak.kind, 'growing');
    const perMinute = leak.kind === 'growing' ? leak.bytesPerMinute / MB : 0;
    assert.ok(Math.abs(perMinute - 1.2) < 0.1, `${perMinute} MB/min`);
  });

  it('the trend of memory finds any slope, even if a third of the points are outliers', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -50, max: 50 }),
        fc.array(fc.integer({ min: 0, max: 1_000_000 }), { minLength: 3, maxLength: 3 }),
        (slope, wild) => {
          const line = points(12, (i) => 1_000_000 + i * 10_000 * slope);
          for (const [i, bytes] of wild.entries()) line[i * 4 + 1] = { atMs: (i * 4 + 1) * 10_000, bytes };
          const found = medianSlope(line);
          // Outliers on one side shift the median slope, but only within this tolerance.
          assert.ok(Math.abs(found - slope) <= 1 + Math.abs(slope) * 0.5 + 12, `${found} for ${slope}`);
        },
      ),
    );
  });

  it('the trend of memory keeps the lowest point of each interval', () => {
    const low = lowEnvelope(
      [
        { atMs: 1, bytes: 5 },
        { atMs: 2, bytes: 3 },
        { atMs: 11, bytes: 9 },
      ],
      10,
    );
    assert.deepEqual(low, [
      { atMs: 2, bytes: 3 },
      { atMs: 11, bytes: 9 },
    ]);
  });
});

describe('the memory line', () => {
  const sample = { allocBytes: 5 * MB, totalAllocBytes: 10 * MB, sysBytes: 12 * MB, numGc: 3 };

  it('the memory line has the documented format, followed by the verdict', () => {
    assert.equal(
      formatMemoryLine({ ...sample, trend: { kind: 'stable' } }),
      'Memory Stats - Alloc: 5 MB, TotalAlloc: 10 MB, Sys: 12 MB, NumGC: 3, stable',
    );
    assert.equal(describeTrend({ kind: 'growing', bytesPerMinute: 1.2 * MB }), 'growing +1.2 MB/min');
    assert.equal(describeTrend({ kind: 'unknown' }), 'warming up');
  });

  it('the memory line counts allocations and collections as they happen', async () => {
    const monitor = new MemoryMonitor();
    try {
      const before = monitor.sample();
      let text: string[] = [];
      for (let i = 0; i < 400_000; i++) {
        if (i % 1_000 === 0) text = [];
        text.push(`${i} of these are thrown away`);
      }
      const after = monitor.sample();
      const allocated = after.totalAllocBytes - before.totalAllocBytes;
      assert.ok(allocated > 10 * MB && allocated < 200 * MB, `${allocated} bytes`);
      assert.ok(after.numGc > before.numGc);
      assert.ok(after.totalAllocBytes >= after.allocBytes);
      assert.equal(text.length, 1_000);
    } finally {
      monitor.stop();
    }
  });
});
