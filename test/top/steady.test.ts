import assert from 'node:assert/strict';
import type { Model } from '../../src/top/model/model.js';
import { memberRows } from '../../src/top/model/select.js';
import { rate } from '../../src/top/view/format.js';
import { KeptWidths, TableWidths } from '../../src/top/view/kept-widths.js';
import { memberTable } from '../../src/top/view/members.js';
import { messageTable } from '../../src/top/view/messages.js';
import { plain } from '../../src/top/view/text.js';
import { group, play, stats, T0 } from './support.js';

describe('a steady screen', () => {
  it('a column keeps its width for half a minute after the width was needed, and no longer than a minute', () => {
    const widths = new KeptWidths();
    assert.deepEqual(widths.keep(0, [3, 5]), [3, 5]);
    assert.deepEqual(widths.keep(1_000, [9, 2]), [9, 5]);
    assert.deepEqual(widths.keep(31_000, [1, 1]), [9, 5]);
    assert.deepEqual(widths.keep(59_000, [4, 1]), [9, 5]);
    assert.deepEqual(widths.keep(61_000, [1, 1]), [4, 1]);
    assert.deepEqual(widths.keep(999_000, [1, 1]), [1, 1]);
  });

  it('rates are shown with at most one decimal', () => {
    assert.deepEqual([0, 5, 50.44, 99.96, 203.4].map(rate), ['0.0/s', '5.0/s', '50.4/s', '100/s', '203/s']);
  });

  it('the headings keep their places under a steady load', () => {
    const widths = new TableWidths();
    const headings = new Set<string>();
    let model: Model = play(group(2, 8));
    for (let second = 1; second <= 60; second++) {
      // Rates, memory, keys and sizes of changing lengths.
      const handled = second * 997 + (second % 3) * 40;
      const allocBytes = (9 + (second % 5)) * 1_048_576;
      const memory = { ...stats('a').memory, allocBytes, sysBytes: 9 * allocBytes };
      const members = ['a', 'b'].map((id) => stats(id, { handled, memory, uptimeMs: second * 1_100 }));
      model = play([[second * 1_000, { type: 'stats', facts: { members, gone: [] } }]], model);
      const messages = Array.from({ length: 5 }, (_, i) => ({
        ...{ sequence: 9_000 + second * 50 + i, partition: i, subject: 's.p.0', atMs: T0 + second },
        ...{ key: `key-${(second * 37) % 2_000}`, size: 90 + ((second * 71) % 2_000), preview: 'x' },
      }));
      for (const width of [80, 100, 160]) {
        const keep = (table: string) => widths.of(`${table} ${width}`, T0 + second * 1_000);
        const tables = [
          memberTable(model, memberRows(model), { width, keep: keep('members') }),
          messageTable(messages, { width, keep: keep('messages') }, T0),
        ];
        if (second > 2) for (const { header } of tables) headings.add(plain(header));
      }
    }
    assert.equal(headings.size, 6, [...headings].join('\n'));
  });
});
