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
  const isPresent = (): boolean => follower.receiverOf(to) !== undefined;
  if (!isPresent()) return { present: false, there: false };
  // If a member with this name ends during the wait, another one with the same name gets the partitions.
  const isThere = (): boolean => {
    const id = follower.receiverOf(to)?.id;
    return id !== undefined && partitions.every((each) => follower.ownerOf(each) === id);
  };
  const there = await follower.until(isThere, waitMs, signal);
  return { present: there || isPresent(), there };
}
