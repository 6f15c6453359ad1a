import assert from 'node:assert/strict';
import { messagesAtRest } from '../../bench/support/rest-model.js';
import { readProject } from './blocks.js';

/** A number as people write it: `1,024`. */
const numberOf = (text = ''): number => Number(text.replaceAll(',', ''));

describe('docs/performance.md', () => {
  const [measured = '', modelled = ''] = readProject('docs/performance.md').split(
    '## Beyond what was measured',
  );

  it('docs/performance.md gives the figures that the formula predicts for idle groups', () => {
    const rows = [
      ...measured.matchAll(/^\| ([\d,]+) \| ([\d,]+) \| [\d.]+ \| ([\d.]+) \| [\d.]+ \| ([\d.]+) \|/gm),
    ];
    assert.ok(rows.length >= 5);
    for (const [, members, partitions, sent, received] of rows) {
      const group = {
        members: numberOf(members),
        partitions: numberOf(partitions),
        ttlMs: 10_000,
        probeMs: 400,
      };
      const expected = messagesAtRest(group);
      assert.ok(
        Math.abs(expected.sent - Number(sent)) < 0.06,
        `sent, ${members} x ${partitions}: ${expected.sent}`,
      );
      assert.ok(Math.abs(expected.received - Number(received)) < 0.6, `received, ${members} x ${partitions}`);
    }
  });

  it('docs/performance.md predicts large groups by the formula', () => {
    const rows = [...modelled.matchAll(/^\| ([\d,]+) x ([\d,]+) \| (\d+) s \| ([\d,]+) \| ([\d,]+) \|/gm)];
    assert.ok(rows.length >= 5);
    for (const [row, members, partitions, ttl, received, all] of rows) {
      const group = {
        members: numberOf(members),
        partitions: numberOf(partitions),
        ttlMs: Number(ttl) * 1_000,
        probeMs: 400,
      };
      const expected = messagesAtRest(group).received;
      assert.ok(Math.abs(expected / numberOf(received) - 1) < 0.03, `${row}: ${expected}`);
      assert.ok(
        Math.abs((expected * group.members) / numberOf(all) - 1) < 0.03,
        `${row}: ${expected * group.members}`,
      );
    }
  });
});
