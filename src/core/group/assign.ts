/** What the plan needs to know of a partition: who has it now, and since which epoch. */
export interface Holding {
  partition: number;
  /** Id of a member that may keep it; null where it has no live owner. */
  owner: string | null;
  /** Revision of its lease; 0 where there is none. */
  epoch: number;
}

/** Which member each partition should be with; a partition that is missing stays as it is. */
export type Plan = ReadonlyMap<number, string>;

/**
 * The plan of a group: every member that has seen the same entries computes the same one, whatever order it
 * has them in.
 *
 * - Loads differ by at most one.
 * - As few partitions as possible move. Which members are to hold one more than the others is the only
 *   freedom; giving the larger share to those that hold most today is optimal, because every partition above
 *   a member's share has to move and the shares' sum is fixed.
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
  const held = new Map<string, Holding[]>();
  for (const id of members) held.set(id, []);
  if (held.size === 0) return plan;

  const free: number[] = [];
  let total = 0;
  for (const holding of holdings) {
    total++;
    const own = holding.owner === null ? undefined : held.get(holding.owner);
    if (own) own.push(holding);
    else free.push(holding.partition);
  }

  const share = Math.floor(total / held.size);
  let larger = total % held.size;
  const ranked = [...held].sort(([a, x], [b, y]) => y.length - x.length || compare(a, b));
  const short: { id: string; missing: number }[] = [];
  for (const [id, own] of ranked) {
    const quota = larger > 0 ? share + 1 : share;
    larger--;
    own.sort((a, b) => b.epoch - a.epoch || a.partition - b.partition);
    for (const kept of own.slice(0, quota)) plan.set(kept.partition, id);
    for (const surplus of own.slice(quota)) free.push(surplus.partition);
    if (own.length < quota) short.push({ id, missing: quota - own.length });
  }

  // Round the short members in turn, so that neighbouring partitions, often loaded alike, spread.
  free.sort((a, b) => a - b);
  short.sort((a, b) => compare(a.id, b.id));
  let turn = 0;
  for (const partition of free) {
    const receiver = short[turn % short.length];
    if (!receiver) break;
    plan.set(partition, receiver.id);
    if (--receiver.missing === 0) short.splice(turn % short.length, 1);
    else turn++;
    if (turn >= short.length) turn = 0;
  }
  return plan;
}

/** Order by code units: the same on every machine, unlike a locale's. */
export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
