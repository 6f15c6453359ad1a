import assert from 'node:assert/strict';
import { Pauses } from '../../src/core/member/partition/pauses.js';
import { ManualClock } from '../support/manual-clock.js';

describe('the pauses of a program', () => {
  it('pauses end after their time, one by one or all at once', () => {
    const clock = new ManualClock();
    const pauses = new Pauses(clock);
    pauses.pause(3, 100);
    pauses.pause(4, undefined);
    clock.advance(100);
    assert.deepEqual([pauses.isPaused(3), pauses.isPaused(4)], [false, true]);
    pauses.resume(null);
    assert.equal(pauses.isPaused(4), false);
  });

  for (const [partition, forMs, message] of [
    [-1, undefined, /no partition -1 to pause/],
    ['x', undefined, /no partition "x" to pause/],
    [3, -5, /cannot last -5/],
    [3, Number.NaN, /cannot last NaN/],
    [null, '1s', /cannot last "1s"/],
  ] as const)
    it(`a pause is refused for partition ${partition} and ${forMs} ms`, () => {
      const pauses = new Pauses(new ManualClock());
      assert.throws(() => pauses.pause(partition as number, forMs as number), { code: 'usage', message });
      assert.equal(pauses.isPaused(3), false);
    });
});
