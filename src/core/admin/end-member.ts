import type { GroupFollower } from './follower.js';

/** What became of a member that was told to end, and of its partitions. */
export interface Ending {
  /** Its session is over. */
  ended: boolean;
  /** Names of the next owners, and what each has got. */
  moved: ReadonlyMap<string, number[]>;
  /** Nobody else is there to take its partitions, or to notice its end. */
  alone: boolean;
  /** Partitions that nobody has taken. */
  left: number[];
  /** From the order until all of this was so, milliseconds. */
  tookMs: number;
}

/** How a member is told to end. */
export interface EndOrder {
  /** It can still end its session itself; false: others have to notice. */
  leaves: boolean;
  /** Resolves with the reason where it could not be told. */
  tell: () => Promise<string | undefined>;
}

/**
 * Tells a member to end and follows its partitions until others have them, as long as there are others.
 *
 * @param waitMs how long that may take; `signal` ends the waiting.
 * @returns what became of it, or why it could not be told.
 * @throws NatspocError where the group can no longer be watched.
 */
export async function endMember(
  follower: GroupFollower,
  session: string,
  order: EndOrder,
  waitMs: number,
  signal?: AbortSignal,
): Promise<Ending | string> {
  const owned = [...follower.leases.keys()].filter((partition) => follower.ownerOf(partition) === session);
  const startedAt = performance.now();
  const refusal = await order.tell();
  if (refusal !== undefined) return refusal;
  const others = () =>
    [...follower.sessions.values()].some(({ id, record }) => id !== session && !record.leaving);
  const hasEnded = () => !follower.sessions.has(session);
  const isOver = () =>
    others()
      ? hasEnded() && owned.every((partition) => heir(follower, partition, session) !== null)
      : hasEnded() || !order.leaves;
  await follower.until(isOver, waitMs, signal);
  const moved = new Map<string, number[]>();
  const left: number[] = [];
  for (const partition of owned.sort((a, b) => a - b)) {
    const name = heir(follower, partition, session);
    if (name === null) left.push(partition);
    else moved.set(name, [...(moved.get(name) ?? []), partition]);
  }
  return {
    ended: hasEnded(),
    alone: !others(),
    moved,
    left,
    tookMs: Math.round(performance.now() - startedAt),
  };
}

/** The name of the live owner that a partition has instead of this session, or null. */
function heir(follower: GroupFollower, partition: number, session: string): string | null {
  const owner = follower.ownerOf(partition);
  if (owner === null || owner === session) return null;
  return follower.sessions.get(owner)?.record.name ?? null;
}
