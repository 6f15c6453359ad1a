import assert from 'node:assert/strict';
import { type Handled, judgeResizes } from '../chaos/resizes/judge.js';

/** Lines of one key: the member, its epoch and the sequence; the place in the list is time and index. */
const lines = (...each: [member: string, epoch: number, sequence: number][]): Handled[] =>
  each.map(([member, epoch, sequence], index) => ({
    member,
    epoch,
    sequence,
    key: 'k',
    index,
    at: index * 100,
  }));
const published = [1, 2, 3].map((sequence) => ({ sequence, key: 'k' }));

describe('the judge of resizes', () => {
  it('orders the owners of a key by their epochs, whatever their partitions', () => {
    const verdict = judgeResizes(published, lines(['b', 9, 2], ['b', 9, 3], ['a', 4, 1]), []);
    assert.deepEqual([verdict.lost, verdict.disorder, verdict.unexplained], [0, 0, 0]);
  });

  it('finds what is lost, out of order, or repeated without a cause', () => {
    assert.equal(judgeResizes(published, lines(['a', 4, 1], ['a', 4, 3]), []).lost, 1);
    assert.equal(judgeResizes(published, lines(['a', 4, 1], ['a', 4, 3], ['b', 9, 2]), []).disorder, 1);
    const again = lines(['a', 4, 1], ['a', 4, 2], ['b', 9, 2], ['b', 9, 3]);
    assert.equal(judgeResizes(published, again, []).unexplained, 1);
    const killed = { from: 0, to: 150, member: 'a' };
    const verdict = judgeResizes(published, again, [killed]);
    assert.deepEqual([verdict.unexplained, verdict.repeated], [0, 1]);
    assert.equal(judgeResizes(published, again, [{ ...killed, member: 'c' }]).unexplained, 1);
  });
});
