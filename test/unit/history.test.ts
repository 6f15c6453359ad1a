import assert from 'node:assert/strict';
import { readTenures } from '../../src/core/admin/history.js';
import { formatTenures } from '../../src/text/tenures-table.js';

describe('leases history', () => {
  const at = (
    atMs: number,
    revision: number,
    owner: string | null,
    reason: 'claim' | 'handover' | 'release',
  ) => ({
    atMs,
    entry: {
      kind: 'lease' as const,
      partition: 3,
      revision,
      record: { v: 1, owner, name: owner ?? '', reason, from: null, at: '' },
    },
  });
  const sign = (atMs: number, id: string) => ({
    atMs,
    entry: { kind: 'proof' as const, id, revision: atMs, ended: false },
  });

  it('leases history gives the longest time without an owner before a claim', () => {
    const past = [
      at(1_000, 1, 'A', 'claim'),
      sign(4_000, 'A'),
      at(5_500, 2, 'B', 'claim'),
      at(9_000, 3, 'C', 'handover'),
    ];
    const tenures = readTenures(past, 3, 10_000);
    assert.deepEqual(
      tenures.map(({ owner, heldMs, gapMs }) => [owner, heldMs, gapMs]),
      [
        ['A', 4_500, null],
        ['B', 3_500, 1_500],
        ['C', 1_000, 0],
      ],
    );
  });

  it("a dead owner's whole tenure is not reported as a gap if its renewals are no longer stored", () => {
    const ended = {
      atMs: 5_400,
      entry: { kind: 'proof' as const, id: 'A', revision: 9, ended: true },
    };
    const past = [at(1_000, 1, 'A', 'claim'), ended, at(5_500, 2, 'B', 'claim')];
    assert.deepEqual(
      readTenures(past, 3, 6_000).map(({ owner, gapMs }) => [owner, gapMs]),
      [
        ['A', null],
        ['B', null],
      ],
    );
    assert.match(formatTenures(readTenures(past, 3, 6_000))[2] ?? '', /\?$/);
  });

  it('a gap is rounded to whole milliseconds, but never to zero', () => {
    const past = [
      at(1_000.2, 1, null, 'release'),
      at(1_000.5, 2, 'A', 'claim'),
      at(3_000.9, 3, 'B', 'handover'),
    ];
    assert.deepEqual(
      readTenures(past, 3, 5_000).map(({ heldMs, gapMs }) => [heldMs, gapMs]),
      [
        [1, 0],
        [2_001, 1],
        [2_000, 0],
      ],
    );
  });

  it('leases history shows a released partition without an owner', () => {
    const tenures = readTenures([at(1_000, 1, null, 'release'), at(3_000, 2, 'B', 'claim')], 3, 3_000);
    assert.deepEqual(
      tenures.map(({ owner, gapMs }) => [owner, gapMs]),
      [
        [null, 0],
        ['B', 2_000],
      ],
    );
  });
});
