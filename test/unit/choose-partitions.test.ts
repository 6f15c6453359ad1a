import assert from 'node:assert/strict';
import { choosePartitions, parsePartitions } from '../../src/cli/choose-partitions.js';

describe('partitions on the command line', () => {
  it('partitions are numbers, with or without p, or ranges, or lists', () => {
    assert.deepEqual(parsePartitions(['3', 'p1', '4-5', 'p6-p7,0'], 8), [0, 1, 3, 4, 5, 6, 7]);
  });

  for (const text of ['8', 'x', '3-1', '-1', '1.5', '0-8', '']) {
    it(`a text that names no partition is refused: ${JSON.stringify(text)}`, () => {
      assert.throws(() => parsePartitions([text], 8), { code: 'usage' });
    });
  }

  it('partitions are chosen in exactly one way', () => {
    assert.throws(() => choosePartitions({ named: [] }, 8, undefined), { code: 'usage' });
    assert.throws(() => choosePartitions({ named: ['1'], all: true }, 8, undefined), { code: 'usage' });
    assert.deepEqual(choosePartitions({ named: [], all: true }, 3, undefined), [0, 1, 2]);
  });
});
