import { keys } from '../../../src/core/protocol/keys.js';
import { encodeRecord, RECORD_VERSION } from '../../../src/core/protocol/records.js';
import { OPERATOR } from '../checks/damage.js';
import type { World } from '../world.js';
import type { Fault } from './fault.js';

/** Writes an override of a partition; null: removes it. */
function override(
  world: World,
  partition: number,
  wanted: { pin: string | null; paused: boolean } | null,
): void {
  const { store } = world.server;
  const key = keys.override(world.settings.group, partition);
  const value = wanted && encodeRecord({ v: RECORD_VERSION, ...wanted, by: 'operator', at: '' });
  store.write(key, value, store.get(key)?.revision ?? 0, OPERATOR);
}

/** Removes all overrides. */
export function liftAll(world: World): void {
  for (let partition = 0; partition < world.settings.partitions; partition++)
    if (world.server.store.get(keys.override(world.settings.group, partition))?.value)
      override(world, partition, null);
}

/** An operator releases partitions. */
export const releases: Fault = (world, { member }) => {
  for (const { partition } of member.partitions) {
    if (world.random.chance(0.5)) member.release(partition, null);
  }
  return 0;
};

/** An operator starts to fence a member, healthy or dying, and stops before the session is deleted. */
export const halfFenced: Fault = (world, member) => {
  const { random, server, settings } = world;
  const { store } = server;
  const key = keys.proof(settings.group, member.member.id ?? '');
  const proof = store.get(key);
  if (!proof?.value) return 0;
  if (random.chance(0.5)) member.crash(random.chance(0.5));
  store.write(key, null, proof.revision, OPERATOR);
  return 0;
};

/** Some partitions are pinned to a member for some time. */
export const pins: Fault = (world, { name }) => {
  const { random, timeline, settings } = world;
  const forMs = random.between(500, 8_000);
  for (let i = random.int(1, 4); i > 0; i--) {
    const partition = random.int(0, settings.partitions - 1);
    override(world, partition, { pin: name, paused: random.chance(0.2) });
    timeline.after(forMs, () => override(world, partition, null));
  }
  return forMs;
};

/** Some partitions are paused for some time. */
export const rests: Fault = (world) => {
  const { random, timeline, settings } = world;
  const forMs = random.between(500, 8_000);
  for (let i = random.int(1, 4); i > 0; i--) {
    const partition = random.int(0, settings.partitions - 1);
    override(world, partition, { pin: null, paused: true });
    timeline.after(forMs, () => override(world, partition, null));
  }
  return forMs;
};
