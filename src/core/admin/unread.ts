import type { GroupObserver } from '../ports/observer.js';
import type { GroupStatus } from './group-status.js';
import type { LeaseStatus } from './lease-status.js';

/** Messages after the lowest position of a keyed group or of a member. Some of them may already be handled, in other partitions. */
export interface Unread {
  messages: number;
  /** How long ago the oldest of these messages was stored, in milliseconds; null if unknown. */
  oldestAgeMs: number | null;
}

/** The partition with the lowest position among the partitions whose `unread` is known. */
const lowest = (share: readonly LeaseStatus[]): LeaseStatus | undefined =>
  share
    .filter(({ unread }) => unread !== undefined)
    .reduce<LeaseStatus | undefined>(
      (least, each) => (least && (least.position ?? 0) <= (each.position ?? 0) ? least : each),
      undefined,
    );

const shareOf = ({ partitions }: GroupStatus, session: string): LeaseStatus[] =>
  partitions.filter((each) => each.session === session);

/**
 * Adds `unread` to the status of a keyed group and of each of its members.
 *
 * @param storedAt when the first message after a partition's position was stored, in milliseconds since 1970; null if unknown.
 */
export function addUnread(
  status: GroupStatus,
  storedAt: (lease: LeaseStatus) => number | null,
  nowMs: number,
): GroupStatus {
  const unreadOf = (share: readonly LeaseStatus[]): Unread | undefined => {
    const first = lowest(share);
    if (!first?.unread) return undefined;
    const at = storedAt(first);
    return { messages: first.unread, oldestAgeMs: at === null ? null : Math.max(0, Math.round(nowMs - at)) };
  };
  const unread = unreadOf(status.partitions);
  if (!unread) return status;
  const members = status.members.map((member) => ({
    ...member,
    unread: unreadOf(shareOf(status, member.session)),
  }));
  return { ...status, members, unread };
}

/** Like {@link addUnread}, with times from the server. */
export async function withUnread(
  observer: Pick<GroupObserver, 'storedAt'>,
  status: GroupStatus,
): Promise<GroupStatus> {
  const shares = [status.partitions, ...status.members.map(({ session }) => shareOf(status, session))];
  const first = shares.map(lowest).filter((each) => each?.unread);
  const after = ({ position }: LeaseStatus): number => position ?? 0;
  const asked = new Map(first.flatMap((each) => (each ? [[after(each), each.partition]] : [])));
  const stored = new Map<number, number | null>();
  await Promise.all(
    [...asked].map(async ([position, partition]) =>
      stored.set(position, await observer.storedAt(partition, position)),
    ),
  );
  return addUnread(status, (lease) => stored.get(after(lease)) ?? null, Date.now());
}
