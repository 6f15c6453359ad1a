import assert from 'node:assert/strict';
import { mock } from 'node:test';
import { systemClock } from '../../src/core/lib/clock.js';

const DAY_MS = 86_400_000;

describe('the clock of the machine', () => {
  let nowMs = 0;

  /** From here on, only this function moves the time. */
  function advance(byMs: number): void {
    nowMs += byMs;
    mock.timers.tick(byMs);
  }

  beforeEach(() => {
    nowMs = 0;
    mock.timers.enable({ apis: ['setTimeout'] });
    mock.method(performance, 'now', () => nowMs);
  });

  afterEach(() => {
    mock.timers.reset();
    mock.restoreAll();
  });

  it('a wait may be longer than the limit of a Node timer', () => {
    let calls = 0;
    systemClock.at(60 * DAY_MS, () => calls++);
    for (let day = 1; day < 60; day++) {
      advance(DAY_MS);
      assert.equal(calls, 0, `after ${day} days`);
    }
    advance(DAY_MS);
    assert.equal(calls, 1);
    advance(60 * DAY_MS);
    assert.equal(calls, 1, 'only once');
  });

  it('a wait can be cancelled, even after the first of several timers', () => {
    let calls = 0;
    const cancel = systemClock.at(60 * DAY_MS, () => calls++);
    for (let day = 1; day < 40; day++) advance(DAY_MS);
    cancel();
    for (let day = 40; day < 80; day++) advance(DAY_MS);
    assert.equal(calls, 0);
  });
});
