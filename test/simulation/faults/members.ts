import type { World } from '../world.js';
import { altered, type Fault } from './fault.js';

/** Somebody else comes in its place, soon, later or never. */
function replace(world: World): number {
  const { random, timeline, active } = world;
  if (active.length > 0 && random.chance(0.3)) return 0;
  const afterMs = random.between(100, 5_000);
  timeline.after(afterMs, () => world.join());
  return afterMs;
}

export const crash: Fault = (world, member) => {
  member.crash(world.random.chance(0.75));
  return replace(world);
};

export const shortPause: Fault = (world, member) => {
  const forMs = world.random.between(20, world.settings.ttlMs);
  member.pause(forMs);
  return forMs;
};

export const longPause: Fault = (world, member) => {
  const forMs = world.settings.ttlMs * world.random.between(0.9, 1.6);
  member.pause(forMs);
  return forMs;
};

export const joins: Fault = (world) => {
  for (let i = world.random.int(1, 3); i > 0; i--)
    world.timeline.after(world.random.between(0, 400), () => world.join());
  return 400;
};

export const leaves: Fault = (world, member) => {
  const { active, random } = world;
  member.leave();
  for (const other of active) if (random.chance(0.2)) other.leave();
  return replace(world);
};

export const slowHandlers: Fault = (world, { profile }) =>
  altered(
    world,
    world.random.between(500, 5_000),
    profile,
    { atOnce: 0, long: 0.5 },
    world.settings.handlers,
  );

/** The last call that fails may end late, and somebody has to see that it was the last attempt. */
export const failingHandlers: Fault = (world, { profile }) =>
  altered(world, world.random.between(500, 5_000), profile, { fails: 0.6 }, world.settings.handlers) + 5_000;
