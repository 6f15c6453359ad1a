import type { GroupObserver } from '../ports/observer.js';
import type { GroupStatus, LeaseStatus } from './group-status.js';

/** Messages after the lowest position of a keyed group or of a member, handled by nobody or only in other partitions. */
export interface Unread {
  messages: number;
  /** How long ago the oldest was stored, milliseconds; null: not known. */
  oldestAgeMs: number | null;
}

/** Adds how much of the stream a keyed group and its members have not read. */
export async function withUnread(observer: GroupObserver, status: GroupStatus): Promise<GroupStatus> {
  const ages = new Map<number, Promise<number | null>>();
  const unreadOf = async (share: readonly LeaseStatus[]): Promise<Unread | undefined> => {
    const known = share.filter(({ unread }) => unread !== undefined);
    const [first] = known.sort((a, b) => (a.position ?? 0) - (b.position ?? 0));
    if (!first?.unread) return undefined;
    const after = first.position ?? 0;
    const stored = ages.get(after) ?? observer.storedAt(first.partition, after);
    ages.set(after, stored);
    const at = await stored;
    return {
      messages: first.unread,
      oldestAgeMs: at === null ? null : Math.max(0, Math.round(Date.now() - at)),
    };
  };
  const { partitions } = status;
  const unread = await unreadOf(partitions);
  if (!unread) return status;
  const members = await Promise.all(
    status.members.map(async (member) => ({
      ...member,
      unread: await unreadOf(partitions.filter(({ session }) => session === member.session)),
    })),
  );
  return { ...status, members, unread };
}
