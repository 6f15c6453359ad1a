import type { GroupFollower } from './follower.js';
import { nameOf, type SeenSession } from './group-entries.js';

/** A process that has joined the group as a member. */
export interface Joining {
  name: string;
  /** The member's partitions, by the name of the previous owner; null: no owner. */
  from: ReadonlyMap<string | null, number[]>;
}

/**
 * Waits until a process has joined a group and has its share of the partitions.
 *
 * @param process the process, and the number of partitions of the group.
 * @param waitMs limit of the wait, in milliseconds; `signal` ends it earlier.
 * @returns the member's partitions; undefined if the process has not joined.
 * @throws NatspocError if the group cannot be watched any more.
 */
export async function followJoining(
  follower: GroupFollower,
  process: { host: string; pid: number; partitions: number },
  waitMs: number,
  signal: AbortSignal,
): Promise<Joining | undefined> {
  const find = (): SeenSession | undefined =>
    [...follower.sessions.values()].find(
      ({ record }) => record?.host === process.host && record.pid === process.pid,
    );
  const hasItsShare = (): boolean => {
    const session = find();
    const share = Math.floor(process.partitions / Math.max(1, follower.planned().length));
    return session !== undefined && follower.ownedBy(session.id).length >= share;
  };
  await follower.until(hasItsShare, waitMs, signal);
  const session = find();
  if (!session) return undefined;
  const from = new Map<string | null, number[]>();
  for (const partition of follower.ownedBy(session.id)) {
    const before = follower.leaseOf(partition)?.from ?? null;
    from.set(before, [...(from.get(before) ?? []), partition]);
  }
  return { name: nameOf(session), from };
}
