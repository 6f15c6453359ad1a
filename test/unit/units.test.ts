import assert from 'node:assert/strict';
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatRate,
  parseBytes,
  parseCount,
  parseDuration,
  parseRate,
} from '../../src/core/lib/units.js';

describe('units', () => {
  it('durations are read, and a number without a unit is refused', () => {
    assert.equal(parseDuration('250ms'), 250);
    assert.equal(parseDuration('10s'), 10_000);
    assert.equal(parseDuration('2m'), 120_000);
    assert.equal(parseDuration('1h30m'), 5_400_000);
    assert.equal(parseDuration('1.5s'), 1_500);
    for (const text of ['10', '', 's', '-1s', '1 s', '1x', 'ms10'])
      assert.equal(parseDuration(text), undefined, text);
  });

  it('counts are read as people write them', () => {
    const counts = ['500', '1_000', '10k', '1.5M', '1e6', '2 g'].map(parseCount);
    assert.deepEqual(counts, [500, 1_000, 10_000, 1_500_000, 1_000_000, undefined]);
    for (const text of ['', '1.5', '-1', '1__0', '1e', 'k', '1e99'])
      assert.equal(parseCount(text), undefined, text);
  });

  it('sizes and rates are read', () => {
    assert.equal(parseBytes('128'), 128);
    assert.equal(parseBytes('1KiB'), 1_024);
    assert.equal(parseBytes('1.5 MB'), 1_500_000);
    assert.equal(parseBytes('1Ki'), 1_024);
    assert.equal(parseBytes('-1'), undefined);
    assert.equal(parseRate('500'), 500);
    assert.equal(parseRate('500/s'), 500);
    assert.equal(parseRate('30/m'), 0.5);
    assert.equal(parseRate('0.5/s'), 0.5);
    assert.equal(parseRate('5/d'), undefined);
  });

  it('quantities are written for people', () => {
    assert.equal(formatDuration(6.24), '6.2 ms');
    assert.equal(formatDuration(999), '999 ms');
    assert.equal(formatDuration(1_400), '1.4 s');
    assert.equal(formatDuration(192_000), '3m 12s');
    assert.equal(formatDuration(7_500_000), '2h 5m');
    assert.equal(formatDuration(3_600_000), '1h');
    assert.equal(formatBytes(512), '512 B');
    assert.equal(formatBytes(1_536), '1.5 KiB');
    assert.equal(formatBytes(12 * 1_048_576), '12 MiB');
    assert.deepEqual([0, 999, 1_000, 12_345.6, 1_234_567, -1_000, -999].map(formatCount), [
      '0',
      '999',
      '1,000',
      '12,346',
      '1,234,567',
      '-1,000',
      '-999',
    ]);
    assert.equal(formatRate(0.5), '0.5/s');
    assert.equal(formatRate(1_204), '1,204/s');
    assert.equal(formatRate(161_000), '161k/s');
    assert.equal(formatRate(2_100_000), '2.1M/s');
  });
});
