import type { GroupFollower } from './follower.js';
import { nameOf } from './group-entries.js';

/** The outcome for a member that was told to end, and for its partitions. */
export interface Ending {
  /** True if the member's session has ended. */
  ended: boolean;
  /** The partitions that have moved, by the name of their new owner. */
  moved: ReadonlyMap<string, number[]>;
  /** True if there is no other member. */
  alone: boolean;
  /** Partitions without a new owner. */
  left: number[];
  /** Time from the request until this outcome, in milliseconds. */
  tookMs: number;
}

/** The request that tells a member to end. */
export interface EndOrder {
  /** True if the member ends its own session; false if others must detect its death. */
  leaves: boolean;
  /** Sends the request. Resolves with the reason if the request could not be sent. */
  tell: () => Promise<string | undefined>;
}

/**
 * Tells a member to end, and waits until other members, if any, own its partitions.
 *
 * @param waitMs limit of the wait, in milliseconds; `signal` ends it earlier.
 * @returns the outcome, or the reason why the request could not be sent.
 * @throws NatspocError if the group cannot be watched any more.
 */
export async function endMember(
  follower: GroupFollower,
  session: string,
  order: EndOrder,
  waitMs: number,
  signal?: AbortSignal,
): Promise<Ending | string> {
  const owned = follower.ownedBy(session);
  const startedAt = performance.now();
  const refusal = await order.tell();
  if (refusal !== undefined) return refusal;
  const others = () => follower.planned().some(({ id }) => id !== session);
  const hasEnded = () => !follower.sessions.has(session);
  const isOver = () =>
    others()
      ? hasEnded() && owned.every((partition) => heir(follower, partition, session) !== null)
      : hasEnded() || !order.leaves;
  await follower.until(isOver, waitMs, signal);
  const moved = new Map<string, number[]>();
  const left: number[] = [];
  for (const partition of owned) {
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

/** The name of the partition's live owner; null if there is none, or if it is this session. */
function heir(follower: GroupFollower, partition: number, session: string): string | null {
  const owner = follower.liveOwner(partition);
  return owner && owner.id !== session ? nameOf(owner) : null;
}
