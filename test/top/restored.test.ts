import assert from 'node:assert/strict';
import type { ViewEntry } from '../../src/core/protocol/events.js';
import type { TopEventBody } from '../../src/top/model/events.js';
import { healthOf } from '../../src/top/model/health.js';
import type { Model } from '../../src/top/model/model.js';
import { memberRows, partitionRows } from '../../src/top/model/select.js';
import { gone, group, lease, play, session, streamFacts } from './support.js';

describe('the model of top, after the bucket has returned to an older state', () => {
  const position = (epoch: number, sequence: number): TopEventBody => ({
    type: 'positions',
    positions: [{ partition: 0, epoch, sequence, atMs: 0 }],
  });
  /** The group with members a and b. Member c has joined at revision 900, and owns partition 0 since 901. */
  const before = play([
    ...group(2, 2),
    [1_000, { type: 'changes', entries: [session('c', 900), lease(0, 901, 'c', { from: 'a' })] }],
    [2_000, position(901, 70)],
  ]);
  const afterSnapshot = (...entries: ViewEntry[]): Model =>
    play([[3_000, { type: 'snapshot', entries }]], before);
  const names = (model: Model) => memberRows(model).map(({ name }) => name);
  const owners = (model: Model) => partitionRows(model).map(({ owner }) => owner);

  it('an older snapshot replaces newer entries, and the positions of their epochs', () => {
    const restored = afterSnapshot(session('a', 1), session('b', 2), lease(0, 100, 'a'), lease(1, 101, 'b'));
    assert.deepEqual(
      [names(restored), owners(restored)],
      [
        ['a', 'b'],
        ['a', 'b'],
      ],
    );
    const [row] = partitionRows(play([[4_000, position(100, 50)]], restored));
    assert.equal(row?.position, 50);
    assert.deepEqual(restored.updates, before.updates);
  });

  it('after a purge, only the members that have joined again are shown', () => {
    const purged = afterSnapshot();
    assert.deepEqual(names(purged), []);
    const again = play(
      [[4_000, { type: 'changes', entries: [session('d', 910), lease(0, 911, 'd')] }]],
      purged,
    );
    assert.deepEqual([names(again), owners(again)], [['d'], ['d', null]]);
  });

  it('removed traces of ended sessions do not count as an older state', () => {
    const left = play([[2_500, { type: 'changes', entries: [gone('b', 950)] }]], before);
    const entries = [session('a', 1), session('c', 900), lease(0, 901, 'c'), lease(1, 101, 'b')];
    const swept = play([[3_000, { type: 'snapshot', entries }]], left);
    assert.deepEqual(names(swept), ['a', 'c']);
    assert.equal(partitionRows(swept)[0]?.position, 70);
    assert.match(healthOf(swept).text, /unowned: p1, owner gone 500 ms ago/);
  });

  it('a stream that is made again begins with no messages, ends or positions', () => {
    const message = { partition: 0, sequence: 70, subject: 's.p.0', key: 'k', atMs: 0, size: 1, preview: '' };
    const seen = play([[2_500, { type: 'messages', messages: [message] }]], before);
    const made = play([[3_000, { type: 'stream', facts: streamFacts(2, { lastSequence: 3 }) }]], seen);
    assert.deepEqual([made.messages, made.progress.size, made.stream?.published.length], [[], 0, 1]);
  });
});
