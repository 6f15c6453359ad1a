import assert from 'node:assert/strict';
import fc from 'fast-check';
import { decodeMemberStats } from '../../src/core/protocol/member-stats.js';
import { stats } from '../top/support.js';

describe('the stats of a member', () => {
  const good = stats('a', {
    partitions: [{ partition: 1, epoch: 2, position: 3, handled: 4, state: 'running', tookMs: 6.5 }],
    handlerTimes: { samples: 2, meanMs: 3, p50Ms: 2, p99Ms: 5, maxMs: 6 },
    ...{ failed: 4, retried: 3, inFlight: 2 },
  });

  it('survive a round trip, and fields of newer versions are ignored', () => {
    const wire: unknown = JSON.parse(JSON.stringify({ ...good, extra: 1 }));
    assert.deepEqual(decodeMemberStats(wire), good);
  });

  it('may lack fields that an older version does not have', () => {
    const partitions = [{ partition: 1, epoch: 2, position: 3 }];
    const { retried: _, inFlight: __, ...old } = good;
    const handlerTimes = { samples: 2, meanMs: 3, p99Ms: 5, maxMs: 6 };
    assert.deepEqual(decodeMemberStats({ ...old, handlerTimes, partitions }), {
      ...old,
      handlerTimes,
      partitions,
    });
  });

  for (const [what, change] of Object.entries({
    'another version': { v: 2 },
    'a name that is none': { name: 7 },
    'a negative pid': { pid: -1 },
    'a count that is none': { handled: 1.5 },
    'no memory': { memory: undefined },
    'a partition that is none': { partitions: [{ partition: 'x' }] },
  })) {
    it(`are refused with ${what}`, () => assert.equal(decodeMemberStats({ ...good, ...change }), undefined));
  }

  it('never throw, for any input', () => {
    fc.assert(fc.property(fc.anything(), (value) => void decodeMemberStats(value)));
  });
});
