import type { GroupStatus } from './group-status.js';

/** The largest and the smallest number of partitions of a member. Undefined if they differ by at most one, or if there are pins. */
export function unevenLoads({
  partitions,
  members,
}: GroupStatus): { most: number; least: number } | undefined {
  const sharing = members.filter(({ state }) => state === 'live' || state === 'late' || state === 'silent');
  const loads = sharing.map((member) => member.partitions.length);
  const [most, least] = [Math.max(...loads), Math.min(...loads)];
  const uneven = loads.length > 1 && most - least > 1 && partitions.every(({ pin }) => pin === null);
  return uneven ? { most, least } : undefined;
}
