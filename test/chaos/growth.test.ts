import assert from 'node:assert/strict';
import { Random } from '../simulation/model/random.js';
import { judgeMemory, leaking } from './soak/growth.js';
import { liveAfter, type MemoryRecord } from './soak/memory.js';
import { blockMeans, slopeOf } from './soak/slope.js';

const MEBI = 1024 * 1024;

/** An hour of samples: 90 MiB that oscillate by 15 MiB, with a warm-up and the given growth. */
function samples(
  name: string,
  mebiAnHour: number,
  seed: number,
  kind: MemoryRecord[2] = 'resident',
): MemoryRecord[] {
  const random = new Random(seed);
  return Array.from({ length: 720 }, (_, i) => {
    const minute = i / 12;
    const warmUp = 20 * Math.exp(-minute / 2);
    const breath = 15 * ((minute / 3.7) % 1) + random.between(-2, 2);
    const mebi = 90 - warmUp + breath + (mebiAnHour * minute) / 60;
    return [i * 5_000_000, name, kind, Math.round(mebi * MEBI)];
  });
}

describe('the slope of memory', () => {
  it('the slope of memory is exact for points that lie on a line', () => {
    const slope = slopeOf(Array.from({ length: 20 }, (_, x) => ({ x, y: 3 * x + 7 })));
    assert.ok(slope && Math.abs(slope.slope - 3) < 1e-9 && slope.high - slope.low < 1e-6);
    assert.equal(slopeOf([{ x: 1, y: 1 }]), undefined);
  });

  it('the slope of memory has an interval that contains the true slope in about 95 % of cases, even with correlated neighbours', () => {
    let held = 0;
    for (let seed = 1; seed <= 200; seed++) {
      const random = new Random(seed);
      let noise = 0;
      const points = Array.from({ length: 50 }, (_, x) => {
        noise = 0.5 * noise + random.between(-1, 1);
        return { x, y: 0.1 * x + noise };
      });
      const slope = slopeOf(points);
      if (slope && slope.low <= 0.1 && slope.high >= 0.1) held++;
    }
    assert.ok(held >= 180, `the interval contained the slope ${held} of 200 times`);
  });

  it('the slope of memory is computed from the means of intervals of time', () => {
    const means = blockMeans(
      [0, 1, 2, 10, 11].map((x) => ({ x, y: x })),
      10,
    );
    assert.deepEqual(means, [
      { x: 1, y: 1 },
      { x: 10.5, y: 10.5 },
    ]);
  });

  it('oscillating memory is reported as flat, and the memory of a leaking process as growing', () => {
    const growth = judgeMemory(
      [...samples('flat', 0, 1), ...samples('leak', 25, 2)].sort((a, b) => a[0] - b[0]),
    );
    assert.deepEqual(
      growth.map(({ name, verdict }) => [name, verdict]),
      [
        ['flat', 'flat'],
        ['leak', 'grows'],
      ],
    );
    const leak = growth[1];
    assert.ok(leak && leak.low < 25 && leak.high > 25);
  });

  it('the slope of memory is computed from live memory if there were enough garbage collections', () => {
    const flat = samples('a', 0, 1, 'live');
    assert.deepEqual(leaking(judgeMemory([...flat, ...samples('a', 25, 2)])), []);
    assert.deepEqual(leaking(judgeMemory([...flat.slice(0, 3), ...samples('a', 25, 2)])), ['a']);
    assert.deepEqual(leaking(judgeMemory([...samples('a', 25, 1, 'live'), ...samples('a', 0, 2)])), ['a']);
  });

  it('live memory is read from the trace of garbage collections', () => {
    const line = '[1:0x1]  93287 ms: Mark-Compact 25.7 (54.7) -> 13.5 (55.0) MB, 104.73 / 2.91 ms  (x)';
    assert.equal(liveAfter(line), 13.5);
    assert.equal(liveAfter('[1:0x1]  94 ms: Scavenge 25.7 (54.7) -> 13.5 (55.0) MB, 1 / 0 ms'), undefined);
  });

  it('the slope of memory is unknown if there are too few samples', () => {
    assert.equal(judgeMemory(samples('short', 0, 1).slice(0, 60))[0]?.verdict, 'unclear');
  });
});
