import assert from 'node:assert/strict';
import { type Load, loadOf, Suggestions } from '../../src/cli/exporter/suggestion.js';
import { holdUp } from '../../src/core/protocol/hold-up.js';
import { lease, member } from '../support/group-status.js';

const load = (atMs: number, change: Partial<Load> = {}): Load => ({
  atMs,
  partitions: 16,
  members: 2,
  busy: 2,
  lag: 0,
  handledPerSecond: 200,
  positions: new Map(),
  ...change,
});

/** The suggestion after these loads, at intervals of ten seconds. The target is to drain in 100 s. */
function afterLoads(...changes: Partial<Load>[]): ReturnType<Suggestions['next']> {
  const suggestions = new Suggestions(100_000);
  const made = changes.map((change, i) => suggestions.next(load(i * 10_000, change)));
  return made.at(-1) ?? assert.fail('no loads');
}

describe('the suggested number of members', () => {
  it('the suggestion is the present number while the speed of members is unknown', () => {
    assert.equal(afterLoads({ handledPerSecond: 0, busy: 0 }).suggestedMembers, 2);
    assert.equal(afterLoads({ lag: null }).suggestedMembers, 2);
    assert.equal(afterLoads({ members: 0, busy: 0, handledPerSecond: 0, lag: 5_000 }).suggestedMembers, 1);
  });

  it('the suggestion keeps up with arrivals, and drains the backlog within the target', () => {
    const busy = { lag: 30_000 };
    // Two members handle 200 messages a second, and the lag stays the same. To drain it in 100 s, the members must handle 500 a second.
    assert.deepEqual(afterLoads(busy, busy), {
      suggestedMembers: 5,
      arrivingPerSecond: 200,
      memberPerSecond: 100,
    });
    assert.equal(afterLoads({ lag: 28_000 }, { lag: 30_000 }).arrivingPerSecond, 400);
  });

  it('the suggestion stays if members just keep up, and falls when fewer messages arrive', () => {
    assert.equal(afterLoads({}, {}, {}).suggestedMembers, 2);
    const quiet = Array.from({ length: 8 }, () => ({ handledPerSecond: 50 }));
    assert.equal(afterLoads({}, {}, ...quiet).suggestedMembers, 1);
  });

  it('the suggestion removes no member before the rate of arrivals is known', () => {
    assert.equal(afterLoads({ members: 5, busy: 1, handledPerSecond: 20 }).suggestedMembers, 5);
  });

  it('the suggestion learns from members with lag that members have become slower', () => {
    assert.equal(afterLoads({}, { lag: 10_000, handledPerSecond: 20 }).memberPerSecond, 10);
    // No message waits for long, so the members may be faster than this.
    assert.equal(afterLoads({}, { lag: 10, handledPerSecond: 20 }).memberPerSecond, 100);
  });

  it('the suggestion does not count a seek, a purge or a start as arrivals', () => {
    const seek = afterLoads({ lag: 1_000_000 }, { lag: 0 }, { lag: 0 });
    assert.equal(seek.arrivingPerSecond, 100);
  });

  it('the suggestion does not count messages of a resumed partition, or of a seek back, as arrivals', () => {
    const counted = (...positions: [number, number | null][]) => ({ positions: new Map(positions) });
    const paused = { ...counted([0, 10]), lag: 0 };
    const resumed = { ...counted([0, 20], [1, 5]), lag: 600_000 };
    assert.equal(afterLoads(paused, paused, resumed).arrivingPerSecond, 200);
    assert.equal(afterLoads(resumed, paused).arrivingPerSecond, null);
    const sought = { ...counted([0, 0], [1, 5]), lag: 900_000 };
    assert.equal(afterLoads(resumed, resumed, sought).arrivingPerSecond, 200);
    const begun = { ...counted([0, 20], [1, null]), lag: 600_100 };
    assert.equal(afterLoads(begun, resumed).arrivingPerSecond, 190);
  });

  it('the suggestion is at least 1, and at most the number of partitions', () => {
    assert.equal(afterLoads({ lag: 10_000_000 }).suggestedMembers, 16);
    assert.equal(afterLoads({ partitions: 0, members: 0, busy: 0, handledPerSecond: 0 }).suggestedMembers, 1);
  });
});

describe('the load of a group', () => {
  it('the load of a group leaves out partitions for which more members would not help', () => {
    const held = holdUp({ why: 'halted', reason: 'x', forMs: 1 });
    const partitions = [
      lease(0, { lag: 5, ratePerSecond: 10 }),
      lease(1, { lag: 70, paused: true }),
      lease(2, { lag: 80, holdUp: held, state: 'halted' }),
      lease(3, { lag: null, positionFault: 'beyond-end' }),
    ];
    const members = [member('A', { ratePerSecond: 10 }), member('B'), member('C', { state: 'expired' })];
    assert.deepEqual(loadOf({ partitions, members }, 7), {
      atMs: 7,
      partitions: 4,
      members: 2,
      busy: 1,
      lag: 5,
      handledPerSecond: 10,
      positions: new Map([[0, partitions[0]?.position]]),
    });
  });
});
