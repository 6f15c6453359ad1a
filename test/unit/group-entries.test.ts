import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type GroupChange, GroupEntries } from '../../src/core/admin/group-entries.js';
import { eventsOf } from '../../src/core/admin/group-event.js';
import type { ViewEntry } from '../../src/core/protocol/events.js';
import { gone, lease, override, session } from '../top/support.js';

const fold = (entries: readonly ViewEntry[], known = new GroupEntries()) => {
  const changes: GroupChange[] = [];
  for (const entry of entries) {
    const change = known.apply(entry, entry.revision);
    if (change) changes.push(change);
  }
  return { known, events: changes.flatMap(eventsOf) };
};
const shown = ({ sessions, leases, overrides }: GroupEntries) => ({
  sessions: new Map([...sessions].sort()),
  leases: new Map([...leases].sort()),
  overrides: new Map([...overrides].sort()),
});

describe('the entries of a group', () => {
  const story = [
    session('a', 1),
    lease(0, 2, 'a'),
    session('b', 3),
    override(0, 4, { pin: 'b', paused: true }),
    lease(0, 5, 'b', { reason: 'handover', from: 'a' }),
    session('a', 6, { leaving: true }),
    gone('a', 7),
    lease(1, 8, 'b'),
  ];

  it('the entries of a group are the same in any order of arrival, even if repeated', () => {
    const expected = shown(fold(story).known);
    const orders = fc.shuffledSubarray([...story, ...story], { minLength: 2 * story.length });
    fc.assert(fc.property(orders, (order) => assert.deepEqual(shown(fold(order).known), expected)));
  });

  it('a snapshot replaces the entries of a group, except for newer entries', () => {
    const { known } = fold([...story, session('c', 12), lease(2, 13, 'c')]);
    const snapshot = [session('b', 3), lease(0, 5, 'b', { reason: 'handover', from: 'a' }), lease(3, 9, 'b')];
    const changes = [...known.applySnapshot(snapshot, 14)];
    assert.deepEqual([...known.sessions.keys()].sort(), ['b', 'c']);
    assert.deepEqual([...known.leases.keys()].sort(), [0, 2, 3]);
    assert.equal(known.overrides.size, 0);
    assert.deepEqual(
      changes.map(({ kind }) => kind),
      ['lease'],
    );
    assert.deepEqual(
      [...known.applySnapshot([session('c', 12), lease(9, 20, 'c')], 21)]
        .flatMap(eventsOf)
        .map(({ event }) => event),
      ['died', 'acquired'],
    );
  });

  it('a member whose session cannot be read still counts as an owner of partitions', () => {
    const unreadable = { kind: 'session', id: 'a', revision: 3, record: 'unreadable' } as const;
    const { known, events } = fold([session('a', 1), lease(0, 2, 'a'), unreadable]);
    assert.equal(known.liveOwner(0)?.record, null);
    assert.deepEqual([known.planned(), known.named('a').length], [[], 1]);
    assert.deepEqual(events.at(-1), { event: 'unreadable', key: 'session.a' });
  });

  it('a partition is pinned to an available member, the first by id among equal names', () => {
    const named = (id: string, revision: number, leaving = false) =>
      session(id, revision, { name: 'twin', leaving });
    const { known } = fold([
      named('z', 1),
      named('y', 2),
      named('x', 3, true),
      override(0, 4, { pin: 'twin' }),
    ]);
    assert.equal(known.pinnedTo(0)?.id, 'y');
  });

  it('each event of a group is reported once', () => {
    const { events } = fold([
      ...story,
      override(0, 9, {}),
      lease(1, 10, null, { from: 'b' }),
      gone('b', 11),
      gone('b', 11),
    ]);
    assert.deepEqual(
      events.map(({ event }) => event),
      [
        ...['joined', 'acquired', 'joined', 'paused', 'pinned', 'acquired', 'leaving', 'left', 'acquired'],
        ...['resumed', 'unpinned', 'released', 'died'],
      ],
    );
    assert.deepEqual(events[5], {
      ...{ event: 'acquired', partition: 0, epoch: 5, from: 'a', fromSession: 'a' },
      ...{ member: 'b', session: 'b', reason: 'handover' },
    });
  });
});
