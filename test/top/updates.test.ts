import assert from 'node:assert/strict';
import type { ViewEntry } from '../../src/core/protocol/events.js';
import type { HoldUp } from '../../src/core/protocol/hold-up.js';
import type { TopEventBody } from '../../src/top/model/events.js';
import { plain } from '../../src/top/view/text.js';
import { groupUpdates, updateLine } from '../../src/top/view/updates.js';
import { gone, group, HELD_UP, lease, play, session, stats, T0 } from './support.js';

describe('the status updates', () => {
  it('an update keeps the reported takeover time after the partition has moved again', () => {
    const model = play([
      ...group(3, 2),
      [1_000, { type: 'changes', entries: [lease(0, 300, 'b', { reason: 'handover', from: 'a' })] }],
      [
        1_500,
        {
          type: 'stats',
          facts: {
            members: [stats('b', { partitions: [{ partition: 0, epoch: 300, position: 1, tookMs: 6 }] })],
            gone: [],
          },
        },
      ],
      [2_000, { type: 'changes', entries: [lease(0, 301, 'c', { reason: 'handover', from: 'b' })] }],
    ]);
    const told = groupUpdates(model.updates).map((each) => plain(updateLine(model, each)).slice(14));
    assert.deepEqual(told, ['B b got p0 from a in 6 ms', 'C c got p0 from b']);
  });

  it('the updates show a partition that is held up for a long time, and that it continues', () => {
    const report = (ms: number, holdUp?: HoldUp): [number, TopEventBody] => [
      ms,
      {
        type: 'stats',
        facts: {
          members: [
            stats('a', {
              partitions: [
                { partition: 0, epoch: 100, position: 1, ...(holdUp && { state: holdUp.why, holdUp }) },
              ],
            }),
          ],
          gone: [],
        },
      },
    ];
    const model = play([
      ...group(1, 1),
      report(1_000, { ...HELD_UP, forMs: 9_000 }),
      report(2_000, { ...HELD_UP, forMs: 10_000 }),
      report(3_000, { ...HELD_UP, forMs: 11_000, attempt: 8 }),
      report(4_000, { ...HELD_UP, why: 'halted', forMs: 0, nextInMs: null }),
      report(5_000),
    ]);
    const told = groupUpdates(model.updates).map((each) => plain(updateLine(model, each)).slice(14));
    assert.deepEqual(told, [
      'A a p0 retrying: connection refused',
      'A a p0 halted: connection refused',
      'A a p0 continues after 0 ms',
    ]);
  });

  it('the updates show that the connection was lost, and for how long', () => {
    const model = play([
      ...group(1, 1),
      [1_000, { type: 'disconnected' }],
      [1_500, { type: 'disconnected' }],
      [3_000, { type: 'connected', server: 'other:4222', version: '2' }],
    ]);
    const told = groupUpdates(model.updates).map((each) => plain(updateLine(model, each)).slice(14));
    assert.deepEqual(told, ['disconnected from h:4222', 'connected to other:4222 again after 2.0 s']);
  });

  it('the updates show a crash with the time since the last renewal, and a claim with the time without an owner', () => {
    const model = play([
      ...group(2, 2),
      [3_000, { type: 'changes', entries: [session('a', 390)] }],
      [4_400, { type: 'changes', entries: [gone('a', 400)] }],
      [4_420, { type: 'changes', entries: [lease(0, 401, 'b', { from: 'a' })] }],
    ]);
    const told = groupUpdates(model.updates).map((each) => plain(updateLine(model, each)).slice(14));
    assert.deepEqual(told, [
      'A a died: fenced 1.4 s after its last renewal',
      'B b claimed p0 from a, 20 ms after its end',
    ]);
  });

  it('the updates show from the history that a member is gone if only its leases remain', () => {
    const past = (ms: number, entry: ViewEntry) => ({ entry, atMs: T0 + ms });
    const model = play([
      [
        9_000,
        {
          type: 'history',
          entries: [
            past(1_000, lease(0, 5, 'x', { reason: 'claim' })),
            past(2_000, lease(0, 6, 'y', { reason: 'handover', from: 'x' })),
            past(2_010, gone('x', 7)),
            past(2_020, gone('never-owned', 8)),
          ],
        },
      ],
    ]);
    const told = groupUpdates(model.updates).map((each) => plain(updateLine(model, each)).slice(14));
    assert.deepEqual(told, ['A x claimed p0', 'B y got p0 from x', 'A x ended']);
  });

  it('the updates show an old end once, with its time, even after several snapshots', () => {
    const past = (ms: number, entry: ViewEntry) => ({ entry, atMs: T0 + ms });
    const hour = 3_600_000;
    const entries = [gone('x', 7), session('y', 8), lease(0, 9, 'y', { from: 'x' }), lease(1, 6, 'x')];
    const history = [
      past(1_000, lease(0, 5, 'x')),
      past(1_001, lease(1, 6, 'x')),
      past(2_000, gone('x', 7)),
      past(2_010, session('y', 8)),
      past(2_020, lease(0, 9, 'y', { from: 'x' })),
    ];
    const look: [number, TopEventBody][] = [
      [hour, { type: 'history', entries: history }],
      [hour + 10, { type: 'snapshot', entries }],
    ];
    const model = play([...look, ...look]);
    const ends = model.updates.filter(({ event }) => event === 'ended' || event === 'died');
    assert.deepEqual(
      ends.map(({ at }) => at - T0),
      [2_000],
    );
    assert.equal(
      model.group.ended.get('x')?.atMs,
      T0 + 2_000,
      'x still owns p1, so the time of its end is kept',
    );
    const later = play([[2 * hour, { type: 'changes', entries: [lease(1, 10, 'y', { from: 'x' })] }]], model);
    assert.equal(later.group.ended.has('x'), false);
    assert.equal(play(look, later).updates.length, later.updates.length);
  });
});
