import assert from 'node:assert/strict';
import { unrest } from './checks/rest.js';
import { Random } from './model/random.js';
import { runWorld } from './run.js';
import { settingsFor } from './scenario.js';
import type { World } from './world.js';

const MEMBERS = 200;
const PARTITIONS = 1_024;
const SEED = 1;

async function rest(world: World, boundMs: number): Promise<void> {
  const isAtRest = await world.until(() => unrest(world) === undefined || !!world.judge.violation, boundMs);
  if (!isAtRest) world.judge.violate('I7', `not at rest after ${boundMs} ms: ${unrest(world)}`);
}

describe('a large group', () => {
  it('comes to rest after losing half of its members', async function () {
    this.timeout(300_000);
    let restedMs = 0;
    const settings = {
      ...settingsFor(new Random(SEED), { members: MEMBERS, partitions: PARTITIONS }),
      ttlMs: 10_000,
      probeEveryMs: 400,
      denied: false,
      publishRate: 50,
    };
    const result = await runWorld(SEED, settings, async (world) => {
      for (let i = 0; i < MEMBERS; i++)
        world.timeline.after(world.random.between(0, 100), () => batched(world));
      world.publish();
      await world.sleep(200);
      await rest(world, 20_000);
      for (const member of world.active.slice(0, MEMBERS / 2)) member.crash(true);
      const lostAt = world.timeline.now;
      await rest(world, settings.ttlMs * 1.5);
      restedMs = world.timeline.now - lostAt;
    });
    assert.equal(result.violation, undefined);
    if (this.test)
      this.test.title += `: ${MEMBERS} members, ${PARTITIONS} partitions, ${(restedMs / 1_000).toFixed(1)} s`;
  });
});

/** Joins a member to whom the watch brings several changes at a time, as a socket does under load. */
function batched(world: World): void {
  world.join().client.bucket.watchFaults.delayMs = 50;
}
