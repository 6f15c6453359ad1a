import type { SimMember } from '../member.js';
import type { World } from '../world.js';

/** Starts a fault of this member; returns its duration, in milliseconds. */
export type Fault = (world: World, member: SimMember) => number;

/** Sets a value for some time; returns the duration. */
export function during(world: World, forMs: number, begin: () => void, end: () => void): number {
  begin();
  world.timeline.after(forMs, end);
  return forMs;
}

/** Sets these fields for some time, then restores the faultless values. */
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
