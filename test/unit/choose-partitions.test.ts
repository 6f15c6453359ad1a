import assert from 'node:assert/strict';
import { choosePartitions, findMember, parsePartitions } from '../../src/cli/choose-partitions.js';
import { following, session } from '../support/following.js';

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

  it('a member is found by its name while another one of this name is leaving', () => {
    const leaving = session('a', 1, true, 'twin');
    assert.equal(findMember(following([leaving]).follower, 'twin').id, 'a');
    assert.equal(findMember(following([leaving, session('b', 2, false, 'twin')]).follower, 'twin').id, 'b');
    const both = following([session('b', 2, false, 'twin'), session('c', 3, false, 'twin')]).follower;
    assert.throws(() => findMember(both, 'twin'), /Several members are named "twin"/);
  });
});
