import assert from 'node:assert/strict';
import { isoText, timeOfDay } from '../../src/text/time-of-day.js';

describe('a time for people', () => {
  const zone = process.env.TZ;
  afterEach(() => {
    if (zone === undefined) delete process.env.TZ;
    else process.env.TZ = zone;
  });
  const at = Date.UTC(2026, 10, 28, 23, 10, 7, 120);

  it('a time for people is local, with the date if it is not today', () => {
    process.env.TZ = 'UTC';
    assert.equal(timeOfDay(at, false, at + 1_000), '23:10:07');
    assert.equal(timeOfDay(at, true, at + 3_600_000), '2026-11-28 23:10:07.120');
    process.env.TZ = 'Asia/Tokyo';
    assert.equal(timeOfDay(at, true, at + 3_600_000), '08:10:07.120');
    assert.equal(isoText(at), '2026-11-28T23:10:07.120Z');
  });
});
