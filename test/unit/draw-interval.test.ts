import assert from 'node:assert/strict';
import { figuresEveryMs } from '../../src/top/ui/draw-interval.js';

describe('the figures of a screen', () => {
  it('the screen is drawn once in a polling round, less often if drawing takes long, and at least every two seconds', () => {
    assert.deepEqual([0, 10, 40, 500].map(figuresEveryMs), [950, 950, 1_600, 2_000]);
  });
});
