import assert from 'node:assert/strict';
import { totalsOf } from '../../src/core/admin/group-status.js';
import type { ViewEntry } from '../../src/core/protocol/events.js';
import type { LeaseRecord } from '../../src/core/protocol/records.js';
import type { TopEventBody } from '../../src/top/model/events.js';
import { healthOf } from '../../src/top/model/health.js';
import { lagOf, memberRows, partitionRows, ratesOf, statusOf } from '../../src/top/model/select.js';
import { direction, ratePerSecond } from '../../src/top/model/series.js';
import { NO_HINTS } from '../../src/top/screen/hints.js';
import { textSnapshot } from '../../src/top/text-snapshot.js';
import { groupUpdates } from '../../src/top/view/updates.js';
import { gone, group, lease, override, play, session, stats, streamFacts, T0 } from './support.js';

type Shown = ReturnType<typeof play>;
const owners = (model: Shown) => partitionRows(model).map(({ session }) => session);
const totals = (model: Shown) => totalsOf(statusOf(model));
/** The event of each update. For a move, its reason. */
const told = ({ updates }: Shown) => updates.map((each) => ('reason' in each ? each.reason : each.event));

describe('the model of top', () => {
  it('an existing group is shown without updates', () => {
    const model = play(group(2, 4));
    assert.deepEqual(owners(model), ['a', 'b', 'a', 'b']);
    assert.deepEqual(model.updates, []);
    assert.deepEqual(healthOf(model), { level: 'ok', text: 'healthy' });
  });

  it('the model of top reports uneven loads, unless partitions are pinned', () => {
    const entries = [session('b', 300), lease(0, 301, 'b', { from: 'a' })];
    const uneven = play([
      ...group(1, 4),
      [1_000, { type: 'changes', entries }],
      [60_000, { type: 'changes', entries: [session('a', 400), session('b', 401)] }],
    ]);
    assert.deepEqual(healthOf(uneven), { level: 'warning', text: 'uneven: 1 to 3 partitions a member' });
    const pinned = play([[60_000, { type: 'changes', entries: [override(1, 402, { pin: 'a' })] }]], uneven);
    assert.deepEqual(healthOf(pinned), { level: 'ok', text: 'healthy' });
    const merelyPaused = play(
      [[60_000, { type: 'changes', entries: [override(1, 402, { paused: true })] }]],
      uneven,
    );
    assert.equal(healthOf(merelyPaused).level, 'warning');
  });

  it('entries that arrive out of order are ignored', () => {
    const model = play([
      ...group(2, 2),
      [1_000, { type: 'changes', entries: [lease(0, 300, 'b', { reason: 'handover', from: 'a' })] }],
      [1_100, { type: 'changes', entries: [lease(0, 200, 'a')] }],
      [1_200, { type: 'changes', entries: [session('a', 1)] }],
    ]);
    assert.deepEqual(owners(model), ['b', 'b']);
    assert.equal(model.group.epochOf(0), 300);
    assert.equal(model.updates.length, 1);
  });

  it('an entry that is older than the end of a member does not revive the member', () => {
    const model = play([
      ...group(2, 2),
      [1_000, { type: 'changes', entries: [gone('a', 400)] }],
      [1_100, { type: 'changes', entries: [session('a', 390)] }],
    ]);
    assert.deepEqual([...model.members.keys()], ['b']);
  });

  it('the model of top names an entry that cannot be parsed, and shows the other entries', () => {
    const model = play([
      ...group(2, 3),
      [
        500,
        { type: 'changes', entries: [{ kind: 'lease', partition: 1, revision: 500, record: 'unreadable' }] },
      ],
      [
        600,
        { type: 'changes', entries: [{ kind: 'session', id: 'x', revision: 501, record: 'unreadable' }] },
      ],
    ]);
    assert.deepEqual(
      partitionRows(model).map(({ state }) => state),
      ['owned', 'unreadable', 'owned'],
    );
    assert.equal(memberRows(model).find(({ session }) => session === 'x')?.state, 'unreadable');
    assert.deepEqual(healthOf(model), { level: 'bad', text: 'unreadable lease: p1' });
    assert.deepEqual(
      model.updates
        .filter(({ event }) => event === 'unreadable')
        .map((update) => 'key' in update && update.key),
      ['lease.1', 'session.x'],
    );
  });

  it('the model of top distinguishes a crash from a leave, and shows how long the partitions had no owner', () => {
    const model = play([
      ...group(3, 3),
      [1_000, { type: 'changes', entries: [gone('a', 500)] }],
      [1_250, { type: 'changes', entries: [lease(0, 501, 'b', { from: 'a' })] }],
      [2_000, { type: 'changes', entries: [session('c', 502, { leaving: true })] }],
      [2_010, { type: 'changes', entries: [lease(2, 503, 'b', { reason: 'handover', from: 'c' })] }],
      [2_020, { type: 'changes', entries: [gone('c', 504)] }],
    ]);
    assert.deepEqual(told(model), ['died', 'claim', 'leaving', 'handover', 'left']);
    assert.equal(model.updates.find(({ event }) => event === 'acquired')?.gapMs, 250);
  });

  it('the model of top shows when the owner of an unowned partition ended', () => {
    const model = play([
      ...group(2, 4),
      [1_000, { type: 'changes', entries: [gone('a', 500)] }],
      [5_000, { type: 'tick' }],
    ]);
    assert.deepEqual(healthOf(model), { level: 'bad', text: 'unowned: p0 p2, owner gone 4.0 s ago' });
    assert.equal(totals(model).owned, 2);
  });

  it('the model of top detects a member that vanishes between two snapshots', () => {
    const log = group(2, 2);
    const entries = [session('b', 2), lease(0, 100, 'a'), lease(1, 101, 'b'), session('c', 300)];
    const model = play([...log, [3_000, { type: 'snapshot', entries }]]);
    assert.deepEqual([...model.members.keys()], ['b', 'c']);
    assert.deepEqual(told(model), ['died', 'joined']);
  });

  it("the model of top calls a member late by the local clock, regardless of other hosts' clocks", () => {
    const ahead = new Date(T0 + 86_400_000).toISOString();
    const log = group(1, 1);
    const renewed = [session('a', 200, { startedAt: ahead }), lease(0, 201, 'a', { at: ahead })];
    const model = play([...log, [1_000, { type: 'changes', entries: renewed }], [4_000, { type: 'tick' }]]);
    assert.equal(memberRows(model)[0]?.renewedAgoMs, 3_000);
    assert.equal(partitionRows(model)[0]?.heldMs, 3_000);
    assert.equal(healthOf(model).level, 'ok');
    const later = play([[9_000, { type: 'tick' }]], model);
    assert.deepEqual(healthOf(later), { level: 'bad', text: 'a is late, last renewal 8.0 s ago' });
  });

  it('the model of top calls no member silent while the server is gone', () => {
    const model = play([
      ...group(1, 1),
      [1_000, { type: 'disconnected' }],
      [1_500, { type: 'reconnecting' }],
      [60_000, { type: 'tick' }],
    ]);
    assert.equal(memberRows(model)[0]?.state, 'live');
    assert.deepEqual(healthOf(model), { level: 'bad', text: 'server gone for 59 s' });
    assert.equal(model.connection.attempts, 1);
  });

  it('the model of top shows past updates from the history with their times', () => {
    const model = play([
      [0, { type: 'connected', server: 'h', version: '2' }],
      [0, { type: 'found', partitions: 1, prefix: 's' }],
      [
        0,
        {
          type: 'history',
          entries: [
            { atMs: T0 - 60_000, entry: session('a', 1) },
            { atMs: T0 - 59_000, entry: lease(0, 2, 'a') },
            { atMs: T0 - 30_000, entry: gone('a', 3) },
            { atMs: T0 - 29_500, entry: session('b', 4) },
            { atMs: T0 - 29_000, entry: lease(0, 5, 'b', { from: 'a' }) },
          ],
        },
      ],
      [10, { type: 'snapshot', entries: [gone('a', 3), session('b', 4), lease(0, 5, 'b', { from: 'a' })] }],
    ]);
    assert.deepEqual(
      model.updates.map(({ event, at }) => [event, T0 - at]),
      [
        ['joined', 60_000],
        ['acquired', 59_000],
        ['died', 30_000],
        ['joined', 29_500],
        ['acquired', 29_000],
      ],
    );
    assert.equal(partitionRows(model)[0]?.heldMs, 29_010);
    assert.deepEqual(
      model.strips.get(0)?.map(({ owner }) => owner),
      ['a', null, 'b'],
    );
  });

  it('the model of top shows a past death with the time since the last stored renewal', () => {
    const proof = (ms: number, revision: number, ended = false) => ({
      atMs: T0 + ms,
      entry: { kind: 'proof' as const, id: 'a', revision, ended },
    });
    const entries = [
      proof(-9_000, 1),
      { atMs: T0 - 9_000, entry: session('a', 2) },
      proof(-5_000, 3),
      proof(-4_000, 4, true),
      { atMs: T0 - 3_990, entry: gone('a', 5) },
    ];
    const died = play([[0, { type: 'history', entries }]]).updates.at(-1);
    assert.deepEqual([died?.event, died?.silentMs], ['died', 1_010]);
  });

  it('the model of top calls a member late if its last renewal was old when it was read', () => {
    const proofs = [
      { atMs: T0 + 1_000, entry: { kind: 'proof' as const, id: 'a', revision: 900, ended: false } },
    ];
    const look = (ms: number): [number, TopEventBody] => [ms, { type: 'proofs', proofs }];
    const states = (log: [number, TopEventBody][]) =>
      memberRows(play([...group(1, 1), ...log])).map(({ state }) => state);
    assert.deepEqual(states([look(1_100), [9_000, { type: 'tick' }]]), ['live']);
    assert.deepEqual(states([look(1_100), look(8_500)]), ['late']);
  });

  it('the model of top does not count paused partitions as a problem or as lag', () => {
    const waits = (ms: number, count: number): [number, TopEventBody][] => [
      [
        ms,
        {
          type: 'waiting',
          waiting: [count, 0].map((each, partition) => ({ partition, after: 0, count: each })),
        },
      ],
      [ms, { type: 'looked' }],
    ];
    const growing = Array.from({ length: 10 }, (_, i) => waits(1_000 + i * 300, i * 500)).flat();
    const trouble = play([...group(2, 2), ...growing]);
    assert.deepEqual(healthOf(trouble), { level: 'warning', text: 'falling behind: the lag grows' });
    const pause: [number, TopEventBody] = [
      500,
      { type: 'changes', entries: [override(0, 900, { paused: true })] },
    ];
    const paused = play([...group(2, 2), pause, ...growing]);
    assert.deepEqual(healthOf(paused), { level: 'ok', text: 'healthy, paused: p0' });
    assert.equal(totals(paused).lag, 4_500);
  });

  it('the model of top shows the progress of a resize, and the new partitions when the resize is done', () => {
    const layout = (revision: number, change: object): [number, TopEventBody] => [
      revision,
      {
        type: 'changes',
        entries: [
          {
            kind: 'layout',
            revision,
            record: { v: 3, key: 'subject:2', filter: '>', partitions: 2, hash: 'fnv1a32', ...change },
          },
        ],
      },
    ];
    const closed = { ...lease(0, 950, null), kind: 'lease' } as Extract<ViewEntry, { kind: 'lease' }>;
    const record = closed.record as LeaseRecord;
    const entries: ViewEntry[] = [{ ...closed, record: { ...record, closed: { order: 940, seq: 5 } } }];
    const ordered = play([
      ...group(2, 2),
      layout(930, {}),
      layout(940, { next: { partitions: 3, by: 'op', at: '' } }),
      [950, { type: 'changes', entries }],
    ]);
    assert.deepEqual(statusOf(ordered).resize, { to: 3, by: 'op', forMs: 10, closed: 1 });
    assert.match(textSnapshot(ordered, 200, NO_HINTS), /resizing 2 to 3, 1 of 2 closed/);
    const done = play(
      [layout(960, { partitions: 3, epoch: 1, before: { partitions: 2, positions: [5, 6] } })],
      ordered,
    );
    assert.deepEqual(
      partitionRows(done).map(({ state }) => state),
      ['unowned', 'unowned', 'unowned'],
    );
    assert.match(healthOf(done).text, /^no partition is owned/);
    assert.equal(statusOf(done).resize, undefined);
    const told = groupUpdates(done.updates).map(({ first }) => first.event);
    assert.deepEqual(told.slice(-3), ['resizing', 'released', 'resized']);
  });

  it('the model of top shows how many messages a keyed group has not read and the age of the oldest, as "leases" does', () => {
    const waiting = [0, 1].map((partition) => ({
      partition,
      after: 0,
      count: 2,
      ofGroup: 4,
      storedAtMs: T0,
    }));
    const model = play([...group(2, 2), [1_000, { type: 'waiting', waiting }], [3_000, { type: 'tick' }]]);
    assert.deepEqual(statusOf(model).unread, { messages: 4, oldestAgeMs: 3_000 });
    assert.match(textSnapshot(model, 160, NO_HINTS), /not read 4 \(3\.0 s\)/);
    // The partitions' estimates are rounded up, so their sum can exceed the number of unread messages.
    const few = waiting.map((each) => ({ ...each, count: 1, ofGroup: 1 }));
    const last = play([
      ...group(2, 2),
      [1_000, { type: 'waiting', waiting: few }],
      [3_000, { type: 'tick' }],
    ]);
    assert.match(textSnapshot(last, 160, NO_HINTS), /lag ~1 /);
  });

  it('the model of top distinguishes a release from a claim', () => {
    const released = lease(0, 500, 'b', { reason: 'release', from: 'a' });
    const model = play([...group(2, 2), [1_000, { type: 'changes', entries: [released] }]]);
    assert.deepEqual(told(model), ['release']);
  });

  it('the model of top groups the moves of one rebalance', () => {
    const entries = [0, 2, 4].map((p, i) => lease(p, 500 + i, 'b', { reason: 'handover', from: 'a' }));
    const model = play([...group(2, 6), [1_000, { type: 'changes', entries }]]);
    const groups = groupUpdates(model.updates);
    assert.equal(groups.length, 1);
    assert.deepEqual(groups[0]?.partitions, [0, 2, 4]);
  });

  it('the model of top counts the lag from pending messages and from delivered messages that are not handled', () => {
    const reader = { partition: 0, epoch: 100, deliveredSequence: 80, deliveredCount: 40, pending: 7 };
    const partitions = [{ partition: 0, epoch: 100, position: 70, handled: 35 }];
    const model = play([
      ...group(1, 2),
      [900, { type: 'stats', facts: { members: [stats('a', { partitions })], gone: [] } }],
      [950, { type: 'readers', readers: [reader] }],
      [960, { type: 'positions', positions: [{ partition: 1, sequence: 99, epoch: 101, atMs: T0 }] }],
      [970, { type: 'waiting', waiting: [{ partition: 1, after: 99, count: 3 }] }],
    ]);
    assert.equal(lagOf(model, 0), 12);
    assert.equal(lagOf(model, 1), 3);
    assert.equal(totals(model).lag, 15);
  });

  it('the model of top takes the end of a partition from its messages, not from its reader', () => {
    const model = play([
      ...group(1, 2),
      [100, { type: 'ends', ends: [{ partition: 0, sequence: 90, atMs: T0 }] }],
      [
        200,
        {
          type: 'readers',
          readers: [{ partition: 0, epoch: 100, deliveredSequence: 99, deliveredCount: 7, pending: 0 }],
        },
      ],
    ]);
    assert.deepEqual(
      partitionRows(model).map(({ end }) => end),
      [90, null],
    );
  });

  it('the model of top never moves a position back, and accepts only the newest epoch', () => {
    const at = (ms: number, epoch: number, sequence: number): [number, TopEventBody] => [
      ms,
      { type: 'positions', positions: [{ partition: 0, sequence, epoch, atMs: T0 }] },
    ];
    const model = play([...group(1, 1), at(1, 500, 50), at(2, 500, 40), at(3, 400, 90)]);
    assert.equal(partitionRows(model)[0]?.position, 50);
  });

  it('the model of top computes rates from counters, and starts again if a counter is reset', () => {
    const told = (handled: number) => ({
      type: 'stats' as const,
      facts: { members: [stats('a', { handled })], gone: [] },
    });
    const model = play([...group(1, 1), [0, told(100)], [1_000, told(300)], [2_000, told(500)]]);
    assert.equal(ratesOf(model).handled, 200);
    const restarted = play([[3_000, told(10)]], model);
    assert.equal(ratesOf(restarted).handled, null);
    const published = play([
      ...group(1, 1),
      [2_000, { type: 'stream', facts: streamFacts(1, { lastSequence: 300 }) }],
    ]);
    assert.equal(ratesOf(published).published, 100);
  });

  it('the model of top shows no rate before two values of the same counter', () => {
    const reader = { partition: 0, epoch: 100, deliveredSequence: 80, deliveredCount: 3, pending: 0 };
    const told = (ms: number, handled: number): [number, TopEventBody] => {
      const partitions = [{ partition: 0, epoch: 100, position: 80, handled }];
      return [ms, { type: 'stats', facts: { members: [stats('a', { handled, partitions })], gone: [] } }];
    };
    const looked = play([...group(1, 1), [0, { type: 'readers', readers: [reader] }], told(700, 1_600)]);
    assert.equal(partitionRows(looked)[0]?.ratePerSecond, null);
    assert.equal(memberRows(looked)[0]?.ratePerSecond, null);
    assert.equal(ratesOf(looked).handled, null);
    const again = play([told(1_700, 1_610)], looked);
    assert.equal(partitionRows(again)[0]?.ratePerSecond, 10);
    assert.equal(memberRows(again)[0]?.ratePerSecond, 10);
    assert.equal(ratesOf(again).handled, 10);
  });

  it('the model of top counts each handled message once while members join and leave', () => {
    // In total 400 messages a second, in four partitions. First a and b share them. Then c gets a partition from each. Then c leaves.
    const log: [number, TopEventBody][] = group(2, 4);
    const counts = new Map([
      ['a', 5_000],
      ['b', 7_000],
    ]);
    const rates: (number | null)[] = [];
    const cells: (number | null)[] = [];
    let model = play(log);
    const look = (ms: number, paces: Record<string, number>) => {
      const members = Object.entries(paces).map(([id, pace]) => {
        const handled = (counts.get(id) ?? 0) + pace;
        counts.set(id, handled);
        const partitions = model.group
          .ownedBy(id)
          .map((partition) => ({ partition, epoch: model.group.epochOf(partition), position: 9 }));
        return stats(id, { handled, partitions, uptimeMs: id === 'c' ? ms - 5_000 : 600_000 });
      });
      model = play([[ms, { type: 'stats', facts: { members, gone: [] } }]], model);
      rates.push(ratesOf(model).handled);
      cells.push(...memberRows(model).map(({ ratePerSecond: each }) => each));
    };
    for (let ms = 0; ms <= 5_000; ms += 1_000) look(ms, { a: 200, b: 200 });
    const change = (ms: number, entries: ViewEntry[]) => {
      model = play([[ms, { type: 'changes', entries }]], model);
    };
    change(5_000, [session('c', 300), lease(0, 301, 'c', { from: 'a' }), lease(1, 302, 'c', { from: 'b' })]);
    for (let ms = 6_000; ms <= 9_000; ms += 1_000) look(ms, { a: 100, b: 100, c: 200 });
    change(9_500, [session('c', 303, { leaving: true })]);
    change(9_500, [lease(0, 304, 'a', { from: 'c' }), lease(1, 305, 'b', { from: 'c' }), gone('c', 306)]);
    // This report covers half a second at the old rate, and half a second at the new one.
    look(10_000, { a: 150, b: 150 });
    for (let ms = 11_000; ms <= 17_000; ms += 1_000) look(ms, { a: 200, b: 200 });
    assert.deepEqual([rates[0], ...new Set(rates.slice(1))], [null, 400]);
    assert.deepEqual(new Set(cells), new Set([null, 200, 100]));
  });

  it('the model of top shows rates even if two reports are further apart than the time over which a rate is computed', () => {
    const told = (ms: number, handled: number): [number, TopEventBody] => [
      ms,
      { type: 'stats', facts: { members: [stats('a', { handled })], gone: [] } },
    ];
    const model = play([...group(1, 1), told(0, 0), told(10_000, 100), [18_000, { type: 'tick' }]]);
    assert.equal(ratesOf(model).handled, 10);
    assert.equal(memberRows(model)[0]?.ratePerSecond, 10);
  });

  it('the model of top ignores answers of unknown sessions', () => {
    const model = play([
      ...group(1, 1),
      [1, { type: 'stats', facts: { members: [stats('z')], gone: ['y'] } }],
    ]);
    assert.deepEqual([...model.members.keys()], ['a']);
  });

  it('the model of top shows a message once, even if it is read repeatedly', () => {
    const message = (sequence: number) => ({
      sequence,
      partition: 0,
      subject: 's.p.0',
      atMs: T0,
      key: null,
      size: 1,
      preview: 'x',
    });
    const model = play([
      ...group(1, 1),
      [1, { type: 'messages', messages: [message(8), message(9)] }],
      [2, { type: 'messages', messages: [message(9), message(10)] }],
    ]);
    assert.deepEqual(
      model.messages.map(({ sequence }) => sequence),
      [8, 9, 10],
    );
    assert.equal(partitionRows(model)[0]?.end, 10);
  });

  it('the model of top gives members the same letters on every screen, in the order of their names', () => {
    const entries = [session('s1', 9, { name: 'zoe' }), session('s2', 8, { name: 'amy' })];
    const model = play([[0, { type: 'snapshot', entries }]]);
    assert.deepEqual([model.letters.get('s2'), model.letters.get('s1')], [0, 1]);
  });

  it('the model of top never lets time run backwards', () => {
    const model = play([
      [5_000, { type: 'tick' }],
      [1_000, { type: 'tick' }],
    ]);
    assert.equal(model.now, T0 + 5_000);
  });

  it('the model of top keeps the rates and lag of each report for drawing', () => {
    const look = (ms: number, lastSequence: number): [number, TopEventBody][] => [
      [ms, { type: 'stream', facts: streamFacts(2, { lastSequence }) }],
      [ms, { type: 'looked' }],
    ];
    const model = play([...group(1, 2), ...look(1_000, 110), ...look(2_000, 130)]);
    assert.deepEqual(
      model.rates.published.map(({ value }) => value),
      [10, 15],
    );
    assert.deepEqual(model.rates.handled, []);
  });
});

describe('a series', () => {
  it('a series has a direction only if it changes by more than noise', () => {
    const series = (values: number[]) => values.map((value, i) => ({ at: i * 1_000, value }));
    assert.equal(direction(series([100, 101, 99, 103, 100, 102])), 'steady');
    assert.equal(direction(series([0, 100, 200, 300, 400])), 'rising');
    assert.equal(direction(series([400, 300, 200, 100, 0])), 'falling');
    assert.equal(ratePerSecond(series([7])), null);
  });
});
