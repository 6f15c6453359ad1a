/** What the plan needs to know of a partition: who has it now, and since which epoch. */
export interface Holding {
  partition: number;
  /** Id of a member that may keep it; null where it has no live owner. */
  owner: string | null;
  /** Revision of its lease; 0 where there is none. */
  epoch: number;
  /** Id of a member that is to have it whatever the balance says; members that are not there do not count. */
  pin?: string | null;
}

/** Which member each partition should be with; a partition that is missing stays as it is. */
export type Plan = ReadonlyMap<number, string>;

/**
 * The plan of a group: every member that has seen the same entries computes the same one, whatever order it
 * has them in.
 *
 * - Loads differ by at most one, but for members that are to have more by their pins.
 * - As few partitions as possible move. Which members are to hold one more than the others is the only
 *   freedom; giving the larger share to those that hold as much today is optimal, because every partition
 *   above a member's share has to move and the shares' sum is fixed.
 * - It holds while it is carried out: with some of its moves made and others not, the plan is still the same.
 *   That is why the larger shares go by who has enough for one, not by who has most, and why each receiver
 *   gets a run of the free partitions in a fixed order, not every second one of those that are left.
 * - A member with too many gives up those that it has held longest (lowest epoch): their readers are the
 *   least likely to be in the middle of catching up.
 *
 * O(P log P + M log M) for P partitions and M members.
 *
 * @param members ids of the members that may own partitions; leaving members are not among them.
 * @param holdings all partitions, each once; owners that are not in `members` count as null.
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

/** An order in which neighbouring partitions, often loaded alike, are far apart (Fibonacci hashing). */
function scattered(partition: number): number {
  return Math.imul(partition, 0x9e3779b1) >>> 0;
}

/** What a member has: by pins, and otherwise. */
interface Share {
  id: string;
  /** How many partitions are pinned to it, wherever they are now. */
  pinned: number;
  /** Those it holds that nobody has pinned. */
  own: Holding[];
}

/** How many unpinned partitions each member is to hold. Whoever has more by pins than its share gets no others. */
function* withQuotas(shares: Share[], total: number): Iterable<Share & { quota: number }> {
  let rest = shares;
  let count = total;
  for (;;) {
    const share = Math.floor(count / rest.length);
    const over = rest.filter(({ pinned }) => pinned > share);
    if (over.length === 0) break;
    // Not everybody can have more than the average: somebody stays.
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

/** Order by code units: the same on every machine, unlike a locale's. */
export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
