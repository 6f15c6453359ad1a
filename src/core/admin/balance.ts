/**
 * The most and the least partitions that members have, where that differs by more than one. Where somebody has pinned a
 * partition it is meant, and nothing is uneven.
 *
 * @param loads partitions of each member.
 * @param partitions all of them, with the member that an operator wants each to be with.
 */
export function unevenLoads(
  loads: readonly number[],
  partitions: readonly { pin: string | null }[],
): { most: number; least: number } | undefined {
  const [most, least] = [Math.max(...loads), Math.min(...loads)];
  const uneven = loads.length > 1 && most - least > 1 && partitions.every(({ pin }) => pin === null);
  return uneven ? { most, least } : undefined;
}
