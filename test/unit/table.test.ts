import assert from 'node:assert/strict';
import { textWidth } from '../../src/core/lib/text.js';
import { formatPairs, formatTable } from '../../src/text/table.js';

describe('a table', () => {
  const columns = [{ title: 'A' }, { title: 'BB', rank: 1 }, { title: 'CCC', rank: 2 }, { title: 'D' }];
  const rows = [['a', 'b', 'c', 'd']];

  it('a table omits the least important columns until it fits', () => {
    assert.deepEqual(formatTable(columns, rows), ['A  BB  CCC  D', 'a  b   c    d']);
    assert.deepEqual(formatTable(columns, rows, 13), ['A  BB  CCC  D', 'a  b   c    d']);
    assert.deepEqual(formatTable(columns, rows, 12), ['A  BB  D', 'a  b   d']);
    assert.deepEqual(formatTable(columns, rows, 7), ['A  D', 'a  d']);
    assert.deepEqual(formatTable(columns, rows, 1), ['A  D', 'a  d']);
  });

  it('a table aligns characters that are two columns wide or have no width', () => {
    const wide = [
      ['\u4ed5\u4e8b', '1', 'x'],
      ['cafe\u0301', '\u4e8c', 'x'],
      ['plain', '333', 'x'],
    ];
    const [left, right, last] = [{ title: 'N' }, { title: 'V', align: 'right' as const }, { title: 'L' }];
    const lines = formatTable([left, right, last], wide);
    assert.deepEqual(lines, [
      'N        V  L',
      '\u4ed5\u4e8b     1  x',
      'cafe\u0301    \u4e8c  x',
      'plain  333  x',
    ]);
    assert.deepEqual(new Set(lines.map(textWidth)), new Set([13]));
    const giving = [{ ...left, rank: 1 }, right, last];
    assert.deepEqual(formatTable(giving, wide, 13), lines);
    assert.equal(formatTable(giving, [['\u4ed5\u4e8b\u4eba', '333', 'x']], 13)[0], '  V  L');
    assert.deepEqual(
      formatPairs([
        ['\u540d', '1'],
        ['key', '2'],
      ]),
      ['\u540d   1', 'key  2'],
    );
  });
});
