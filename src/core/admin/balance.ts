/**
 * The largest and smallest number of partitions per member, if they differ by more than one. With pins the difference is
 * intended, so nothing is reported.
 *
 * @param loads partitions of each member.
 * @param partitions all partitions, with their pins.
 */
export function unevenLoads(
  loads: readonly number[],
  partitions: readonly { pin: string | null }[],
): { most: number; least: number } | undefined {
  const [most, least] = [Math.max(...loads), Math.min(...loads)];
  const uneven = loads.length > 1 && most - least > 1 && partitions.every(({ pin }) => pin === null);
  return uneven ? { most, least } : undefined;
}
