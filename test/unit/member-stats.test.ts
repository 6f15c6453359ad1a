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

  it('the stats of a member survive a round trip, and fields of newer versions are ignored', () => {
    const wire: unknown = JSON.parse(JSON.stringify({ ...good, extra: 1 }));
    assert.deepEqual(decodeMemberStats(wire), good);
  });

  it('the stats of an older version may lack fields', () => {
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
    'an invalid name': { name: 7 },
    'a negative pid': { pid: -1 },
    'an invalid count': { handled: 1.5 },
    'no memory': { memory: undefined },
    'an invalid partition': { partitions: [{ partition: 'x' }] },
  })) {
    it(`the stats of a member are refused with ${what}`, () =>
      assert.equal(decodeMemberStats({ ...good, ...change }), undefined));
  }

  it('decoding the stats of a member never throws, for any input', () => {
    fc.assert(fc.property(fc.anything(), (value) => void decodeMemberStats(value)));
  });
});
