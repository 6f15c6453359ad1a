import assert from 'node:assert/strict';
import type { ViewEntry } from '../../src/core/protocol/events.js';
import { letterOf } from '../../src/top/view/palette.js';
import { plain } from '../../src/top/view/text.js';
import { timelineTable } from '../../src/top/view/timeline.js';
import { groupUpdates, updateLine } from '../../src/top/view/updates.js';
import { drawn, uiWith } from './drawn.js';
import { gone, group, lease, play, session, stats, T0 } from './support.js';

describe('names, gaps and messages in top', () => {
  it('a restarted member keeps the letter of its name, and two members with the same name have different letters', () => {
    const model = play([
      ...group(3, 3),
      [1_000, { type: 'changes', entries: [gone('b', 400)] }],
      [1_500, { type: 'changes', entries: [session('other', 401)] }],
      [2_000, { type: 'changes', entries: [session('b2', 402, { name: 'b' })] }],
      [2_100, { type: 'changes', entries: [session('b3', 403, { name: 'b' })] }],
    ]);
    const letters = ['a', 'b', 'c', 'other', 'b2', 'b3'].map((id) => letterOf(model, id));
    assert.deepEqual(letters, ['A', 'B', 'C', 'D', 'B', 'E']);
  });

  it('a time without an owner is marked in red only if messages waited', () => {
    const orphans: ViewEntry[] = [lease(0, 400, null), lease(1, 401, null)];
    const model = play([
      ...group(2, 2),
      [4_000, { type: 'changes', entries: orphans }],
      [
        5_000,
        {
          type: 'waiting',
          waiting: [
            { partition: 0, after: 0, count: 0 },
            { partition: 1, after: 0, count: 3 },
          ],
        },
      ],
      [5_100, { type: 'looked' }],
      [9_000, { type: 'tick' }],
    ]);
    const gaps = timelineTable(model, [0, 1], 80).rows.map((row) =>
      row.find(({ text }) => text.includes('·')),
    );
    assert.deepEqual(
      gaps.map((gap) => [gap?.color, gap?.dim]),
      [
        [undefined, true],
        ['red', undefined],
      ],
    );
  });

  it('updates put names before lists, so that a narrow line cuts the list', () => {
    const entries = Array.from({ length: 40 }, (_, p) =>
      lease(2 * p, 300 + p, 'b', { reason: 'handover', from: 'a' }),
    );
    const members = [stats('b', { partitions: [{ partition: 0, epoch: 300, position: 1, tookMs: 6 }] })];
    const model = play([
      ...group(2, 80),
      [1_000, { type: 'changes', entries }],
      [2_000, { type: 'stats', facts: { members, gone: [] } }],
    ]);
    const [update] = groupUpdates(model.updates);
    assert.match(
      plain(update ? updateLine(model, update) : []),
      /B b got 40 partitions from a in 6 ms: p0 p2 p4 /,
    );
  });

  it('a message is shown with its headers and indented JSON, or with the place of the complete payload', () => {
    const preview = '{"order":7,"items":[1]}';
    const message = {
      sequence: 7,
      partition: 0,
      subject: 's.p.0',
      atMs: T0,
      key: 'k',
      size: preview.length,
      preview,
    };
    const headers: [string, string][] = [
      ['Natspoc-Key', 'k'],
      ['Traceparent', '00-12'],
    ];
    const model = play([...group(1, 1), [1, { type: 'messages', messages: [{ ...message, headers }] }]]);
    const ui = uiWith({ focus: 'messages', detail: '7' });
    const text = drawn(model, ui, { columns: 80, rows: 24 }).join('\n');
    assert.match(text, /Natspoc-Key {2}k\n +Traceparent {2}00-12\n/);
    assert.match(text, /\n\{\n {2}"order": 7,\n {2}"items": \[\n {4}1\n {2}\]\n\}\n/);
    const cut = play([...group(1, 1), [1, { type: 'messages', messages: [{ ...message, size: 9_000 }] }]]);
    assert.match(
      drawn(cut, ui, { columns: 80, rows: 24 }).join('\n'),
      /… the rest: "natspoc stream get 7 --stream S/,
    );
  });
});
