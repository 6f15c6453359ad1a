import assert from 'node:assert/strict';
import { zipf } from '../../src/cli/publish/zipf.js';

/** Evenly spread numbers, so the counts below are exact to within one. */
function sweep(steps: number): () => number {
  let step = 0;
  return () => (step++ + 0.5) / steps;
}

describe('zipf', () => {
  it('each index is drawn in proportion to its weight', () => {
    const draws = 100_000;
    const draw = zipf(5, 1, sweep(draws));
    const counts = [0, 0, 0, 0, 0];
    for (let i = 0; i < draws; i++) {
      const index = draw();
      counts[index] = (counts[index] ?? 0) + 1;
    }
    const total = 1 + 1 / 2 + 1 / 3 + 1 / 4 + 1 / 5;
    for (const [index, count] of counts.entries()) {
      assert.ok(Math.abs(count - draws / (index + 1) / total) <= 1, `${index}: ${count}`);
    }
  });

  it('the draw is uniform without skew, and stays in range at the edges', () => {
    assert.deepEqual(Array.from({ length: 4 }, zipf(4, 0, sweep(4))), [0, 1, 2, 3]);
    assert.equal(zipf(3, 2, () => 0)(), 0);
    assert.equal(zipf(3, 2, () => 1 - Number.EPSILON)(), 2);
  });
});
