import type { SimMember } from '../member.js';
import type { World } from '../world.js';

/** Starts a fault of this member. Returns its duration in milliseconds. */
export type Fault = (world: World, member: SimMember) => number;

/** Calls `begin` now and `end` after `forMs`. Returns `forMs`. */
export function during(world: World, forMs: number, begin: () => void, end: () => void): number {
  begin();
  world.timeline.after(forMs, end);
  return forMs;
}

/** Sets these fields for some time. Then sets the values that apply without faults. */
export function altered<T extends object>(
  world: World,
  forMs: number,
  target: T,
  faulty: Partial<T>,
  sound: Partial<T>,
): number {
  return during(
    world,
    forMs,
    () => Object.assign(target, faulty),
    () => Object.assign(target, sound),
  );
}
