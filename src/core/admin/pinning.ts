import type { Bucket } from '../ports/index.js';
import type { GroupFollower } from './follower.js';
import { changeOverrides } from './overrides.js';

/** Pins partitions to a member, or unpins them if `to` is null. Returns the previous pins. */
export async function pinPartitions(
  { bucket, group, by }: { bucket: Bucket; group: string; by: string },
  partitions: readonly number[],
  to: string | null,
): Promise<Map<number, string | null>> {
  const before = await changeOverrides(bucket, group, partitions, { pin: to }, by);
  return new Map([...before].map(([partition, { pin }]) => [partition, pin]));
}

/**
 * Waits at most `waitMs` until the member `to` owns these pinned partitions. `present`: the group has this member. `there`: it owns all of
 * them.
 */
export async function untilPinned(
  follower: GroupFollower,
  partitions: readonly number[],
  to: string,
  waitMs: number,
  signal?: AbortSignal,
): Promise<{ present: boolean; there: boolean }> {
  // Of several members with the name, the one with the lowest id gets the partitions.
  const member = follower.named(to)[0];
  if (!member) return { present: false, there: false };
  const isThere = (): boolean => partitions.every((each) => follower.ownerOf(each) === member.id);
  return { present: true, there: await follower.until(isThere, waitMs, signal) };
}
