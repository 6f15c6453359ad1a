import assert from 'node:assert/strict';
import {
  type HandledMessage,
  judge,
  longestPause,
  longestSilence,
  type PublishedMessage,
} from '../../src/local/demo/judge.js';
import { describeChanges, ownershipPicture } from '../../src/local/demo/picture.js';
import { partitionList } from '../../src/text/partition-list.js';

const published: PublishedMessage[] = [1, 2, 3, 4].map((sequence) => ({
  partition: 0,
  sequence,
  key: 'k',
  data: `m${sequence}`,
}));

const line = (sequence: number, epoch: number, index: number, consumer = 'a'): HandledMessage => ({
  partition: 0,
  sequence,
  key: 'k',
  data: `m${sequence}`,
  epoch,
  consumer,
  index,
  at: index,
});

describe('the judge of the demo', () => {
  it('the demo judge finds nothing wrong with a clean run', () => {
    const verdict = judge(published, [line(1, 5, 0), line(2, 5, 1), line(3, 9, 0, 'b'), line(4, 9, 1, 'b')]);
    assert.deepEqual(verdict, {
      published: 4,
      handled: 4,
      lost: 0,
      duplicated: 0,
      outOfOrder: 0,
      foreign: 0,
      samples: [],
    });
  });

  it('the demo judge reports a loss if no member handled a message', () => {
    const verdict = judge(published, [line(1, 5, 0), line(2, 5, 1), line(4, 5, 2)]);
    assert.equal(verdict.lost, 1);
    assert.match(verdict.samples[0] ?? '', /#3 was never handled/);
  });

  it('the demo judge reports duplicates, not disorder, if a new owner repeats messages', () => {
    const verdict = judge(
      published,
      [1, 2, 3].map((s, i) => line(s, 5, i)).concat([2, 3, 4].map((s, i) => line(s, 9, i, 'b'))),
    );
    assert.equal(verdict.duplicated, 2);
    assert.equal(verdict.outOfOrder, 0);
  });

  it('the demo judge reports disorder if two messages are swapped within an epoch', () => {
    assert.equal(
      judge(published, [line(2, 5, 0), line(1, 5, 1), line(3, 5, 2), line(4, 5, 3)]).outOfOrder,
      1,
    );
  });

  it('the demo judge reports disorder if a later owner handles a message that was skipped', () => {
    const verdict = judge(published, [line(1, 5, 0), line(3, 5, 1), line(2, 9, 0, 'b'), line(4, 9, 1, 'b')]);
    assert.equal(verdict.outOfOrder, 1);
    assert.equal(verdict.lost, 0);
  });

  it('the demo judge reports disorder if a message is handled twice within an epoch', () => {
    const handled = [line(1, 5, 0), line(1, 5, 1), line(2, 5, 2), line(3, 5, 3), line(4, 5, 4)];
    assert.equal(judge(published, handled).outOfOrder, 1);
  });

  it('the demo judge notices content that differs from the published content', () => {
    const handled = [1, 2, 3, 4].map((sequence, i) => line(sequence, 5, i));
    const changed = handled.map((message, i) => (i === 2 ? { ...message, data: 'other' } : message));
    const verdict = judge(published, changed);
    assert.equal(verdict.foreign, 1);
    assert.equal(verdict.lost, 1);
  });

  it('the demo judge measures the pause of the partition that paused longest', () => {
    const handled = [line(1, 5, 10), line(2, 5, 20), line(3, 9, 75, 'b'), line(4, 9, 80, 'b')];
    assert.equal(longestPause(handled, new Map([[0, 9]])), 55);
    assert.equal(longestPause(handled, new Map([[1, 9]])), null);
  });
});

describe('the longest silence', () => {
  it('the longest silence is the longest time in which a partition handled nothing, within the given interval', () => {
    const handled = [line(1, 5, 10), line(2, 5, 500), line(3, 5, 520), line(4, 5, 600)];
    assert.equal(longestSilence(handled, 100, 700), 490);
    assert.equal(longestSilence(handled, 510, 700), 80);
    assert.equal(longestSilence(handled, 100, 105), 490);
    assert.equal(longestSilence([], 0, 700), null);
  });
});

describe('the picture of the demo', () => {
  it('the picture writes partitions as ranges', () => {
    assert.equal(partitionList([3, 0, 1, 2, 7, 9, 10]), 'p0-p3 p7 p9 p10');
    assert.equal(partitionList([]), '');
  });

  it('the picture has a row for each member and a column for each partition', () => {
    const owner = (name: string) => ({ name, session: name, epoch: 1 });
    const picture = ownershipPicture(
      ['a', 'b'],
      new Map([
        [0, owner('b')],
        [1, owner('a')],
      ]),
      2,
    );
    assert.deepEqual(picture, ['         p0  p1', 'a         ·   ■   1', 'b         ■   ·   1']);
  });

  it('the picture lists the moves between members', () => {
    const change = { epoch: 1, at: 0, reason: 'handover' } as const;
    const lines = describeChanges([
      { ...change, partition: 0, from: 'a', to: 'b' },
      { ...change, partition: 1, from: 'a', to: 'b' },
      { ...change, partition: 1, from: 'b', to: 'c' },
    ]);
    assert.deepEqual(lines, ['b acquired p0 from a', 'c acquired p1 from b']);
  });
});
