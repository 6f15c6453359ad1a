import assert from 'node:assert/strict';
import { timingFor } from '../../src/core/protocol/timing.js';
import { Crowd } from './crowd.js';
import { Random } from './model/random.js';

const MEMBERS = 400;
const PARTITIONS = 4_000;
/** SPEC.md (I7) allows this time in addition to the detection time. */
const BOUND_MS = 1_000;

describe('a large group', () => {
  it('a large group comes to rest after losing half of its members', function () {
    this.timeout(300_000);
    const timing = timingFor(10_000, 400);
    const crowd = new Crowd({ members: MEMBERS, partitions: PARTITIONS, timing }, new Random(1));
    crowd.run(3_000);
    assert.equal(crowd.unrest(), undefined);
    crowd.kill(MEMBERS / 2);
    const lostAt = crowd.timeline.now;
    const noticedMs = timing.probeEveryMs + timing.suspectMs;
    let lookedAt = lostAt;
    const rests = (): boolean => {
      if (crowd.timeline.now < lookedAt + 50) return false;
      lookedAt = crowd.timeline.now;
      return crowd.unrest() === undefined;
    };
    assert.ok(crowd.run(noticedMs + BOUND_MS, rests), crowd.unrest());
    assert.equal(crowd.violation, undefined);
    const restedMs = crowd.timeline.now - lostAt;
    if (this.test)
      this.test.title += `: ${MEMBERS} members, ${PARTITIONS} partitions, ${(restedMs / 1_000).toFixed(1)} s`;
  });
});
