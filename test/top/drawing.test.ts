import assert from 'node:assert/strict';
import fc from 'fast-check';
import { barLines, columnsOf } from '../../src/top/view/rates.js';
import { table } from '../../src/top/view/table.js';
import { plain, textWidth, truncate } from '../../src/top/view/text.js';
import { stripOf } from '../../src/top/view/timeline.js';

describe('the rates panel', () => {
  it('the rates panel draws values in the columns of their times, the newest on the right', () => {
    const series = [
      { at: 1_500, value: 3 },
      { at: 4_000, value: 8 },
    ];
    assert.deepEqual(columnsOf(series, 5_000, 1_000, 5), [undefined, 3, 3, 8, 8]);
  });

  it('the rates panel draws bars of eighths of a line, in which any value above 0 is visible', () => {
    assert.deepEqual(barLines([undefined, 0, 1, 8, 9, 16], 16, 2), ['    ▁█', '  ▁███']);
    assert.deepEqual(barLines([1], 1_000, 1), ['▁']);
  });
});

describe('a table of top', () => {
  const columns = [
    { title: 'A', rank: 0, max: 4, cell: (text: string) => ({ text }) },
    { title: 'B', rank: 1, cell: () => ({ text: 'b' }) },
  ];
  const rowsAt = (width: number) => table(columns, ['abcdefgh'], { width }).rows.map(plain);

  it('a table cuts a long column only if there is not enough room', () => {
    assert.deepEqual(rowsAt(7), ['abc…  b']);
    assert.deepEqual(rowsAt(9), ['abcde…  b']);
    assert.deepEqual(rowsAt(30), ['abcdefgh  b']);
    assert.deepEqual(rowsAt(5), ['abcd…']);
  });
});

describe('the timeline', () => {
  it('the timeline shows even a short gap in its column', () => {
    const strip = [
      { at: 0, owner: 'a' },
      { at: 5_100, owner: null },
      { at: 5_200, owner: 'b' },
    ];
    assert.deepEqual(stripOf(strip, 10_000, 1_000, 10), ['a', 'a', 'a', 'a', 'a', null, 'b', 'b', 'b', 'b']);
    assert.deepEqual(stripOf(strip, 2_000, 1_000, 4), [undefined, undefined, 'a', 'a']);
    assert.deepEqual(stripOf([], 2_000, 1_000, 2), [undefined, undefined]);
  });
});

describe('text of top', () => {
  it('drawn text has the width that a terminal shows', () => {
    assert.equal(textWidth('abc'), 3);
    assert.equal(textWidth('漢字'), 4);
    assert.equal(textWidth('e\u0301'), 1);
    assert.equal(truncate('漢字漢字', 5), '漢字…');
    assert.equal(truncate('abcdef', 4), 'abc…');
  });

  it('drawn text is never wider than requested', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 30 }), fc.nat(20), (text, width) => {
        assert.ok(textWidth(truncate(text, width)) <= width);
      }),
    );
  });
});
