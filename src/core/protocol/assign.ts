/** What the plan uses of a partition. */
export interface Holding {
  partition: number;
  /** Id of the owner, which may keep the partition; null if there is no live owner. */
  owner: string | null;
  /** Revision of the partition's lease; 0 without a lease. */
  epoch: number;
  /** Id of the member that an operator chose; ignored while that member is absent. */
  pin?: string | null;
}

/** The member id that should own each partition. A partition that is not in the plan stays as it is. */
export type Plan = ReadonlyMap<number, string>;

/**
 * The plan of a group. Members that have seen the same entries compute the same plan, in whatever order the entries
 * arrived.
 *
 * - Loads differ by at most one, except for members that have more because of pins.
 * - As few partitions as possible move. The only choice is which members hold one partition more than the others. A
 *   member that already holds that many keeps a partition that would otherwise move.
 * - The plan is stable: it stays the same when only some of its moves are done. Therefore a larger share goes to any
 *   member that already has enough partitions for it, not to the member with the most. For the same reason, each
 *   receiver gets consecutive free partitions in a fixed order. Receivers do not take turns.
 * - A member with too many partitions hands over those with the lowest epochs. It has held them longest, so their
 *   readers have most likely caught up.
 *
 * The function takes O(P log P + M log M) time for P partitions and M members.
 *
 * @param members ids of the members that may own partitions; leaving members are excluded.
 * @param holdings all partitions, each once; an owner that is not in `members` counts as null.
 */
export function assign(members: Iterable<string>, holdings: Iterable<Holding>): Plan {
  const plan = new Map<number, string>();
  const shares = new Map<string, Share>();
  for (const id of members) shares.set(id, { id, pinned: 0, own: [] });
  if (shares.size === 0) return plan;

  const free: number[] = [];
  let total = 0;
  for (const holding of holdings) {
    total++;
    const { partition, owner, pin } = holding;
    const pinned = pin ? shares.get(pin) : undefined;
    const own = owner === null ? undefined : shares.get(owner);
    if (pinned) {
      pinned.pinned++;
      plan.set(partition, pinned.id);
    } else if (own) own.own.push(holding);
    else free.push(partition);
  }

  const short: { id: string; missing: number }[] = [];
  for (const { id, own, quota } of withQuotas([...shares.values()], total)) {
    own.sort((a, b) => b.epoch - a.epoch || a.partition - b.partition);
    for (const kept of own.slice(0, quota)) plan.set(kept.partition, id);
    for (const surplus of own.slice(quota)) free.push(surplus.partition);
    if (own.length < quota) short.push({ id, missing: quota - own.length });
  }

  free.sort((a, b) => scattered(a) - scattered(b));
  short.sort((a, b) => compare(a.id, b.id));
  let next = 0;
  for (const { id, missing } of short) {
    for (const partition of free.slice(next, next + missing)) plan.set(partition, id);
    next += missing;
  }
  return plan;
}

/** A sort key that places neighboring partitions far apart (Fibonacci hashing). Neighbors often have similar load. */
function scattered(partition: number): number {
  return Math.imul(partition, 0x9e3779b1) >>> 0;
}

interface Share {
  id: string;
  /** Number of partitions that are pinned to the member, owned already or not. */
  pinned: number;
  /** The partitions that the member owns and that are not pinned. */
  own: Holding[];
}

/** How many unpinned partitions each member should hold. A member whose pins exceed its share gets no unpinned partitions. */
function* withQuotas(shares: Share[], total: number): Iterable<Share & { quota: number }> {
  let rest = shares;
  let count = total;
  for (;;) {
    const share = Math.floor(count / rest.length);
    const over = rest.filter(({ pinned }) => pinned > share);
    if (over.length === 0) break;
    // Not all members can be above the average, so `rest` is never empty.
    rest = rest.filter(({ pinned }) => pinned <= share);
    for (const each of over) {
      count -= each.pinned;
      yield { ...each, quota: 0 };
    }
  }
  const share = Math.floor(count / rest.length);
  let larger = count % rest.length;
  const hasMore = ({ own, pinned }: Share): number => (own.length + pinned > share ? 1 : 0);
  rest.sort((a, b) => hasMore(b) - hasMore(a) || compare(a.id, b.id));
  for (const each of rest) {
    yield { ...each, quota: (larger > 0 ? share + 1 : share) - each.pinned };
    larger--;
  }
}

/** Compares texts by code units. Unlike the order of a locale, this order is the same on every machine. */
export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
