import type { SimMember } from '../member.js';
import type { World } from '../world.js';

/** One fault: begins it now, on this member; returns how long it lasts, in milliseconds. */
export type Fault = (world: World, member: SimMember) => number;

/** Sets something for a while; returns for how long. */
export function during(world: World, forMs: number, begin: () => void, end: () => void): number {
  begin();
  world.timeline.after(forMs, end);
  return forMs;
}

/** Sets these fields for a while, and then back to what they are without a fault. */
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
