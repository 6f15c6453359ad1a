import { assign, compare, type Holding, type Plan } from '../../core/protocol/assign.js';
import type { Member, Model } from './model.js';
import { liveOwner, partitionRows, partitionsOf } from './select.js';

/** The members that the group's plan counts on, by id. */
const planned = (model: Model): Member[] =>
  [...model.members.values()]
    .filter(({ record }) => record !== null && !record.leaving)
    .sort((a, b) => compare(a.id, b.id));

/** The member that somebody wants a partition to be with, if it is there: a pin names a session or a member. */
export function pinnedTo(model: Model, partition: number): Member | null {
  const pin = model.overrides.get(partition)?.record?.pin ?? null;
  if (pin === null) return null;
  return planned(model).find(({ id, record }) => id === pin || record?.name === pin) ?? null;
}

/** The group's own plan if these were its members. */
function planOf(model: Model, members: readonly string[]): Plan {
  const holdings = partitionsOf(model).flatMap((partition): Holding[] => {
    const lease = model.leases.get(partition);
    if (lease?.record === 'unreadable') return [];
    const pin = pinnedTo(model, partition)?.id ?? null;
    return [{ partition, owner: lease?.record?.owner ?? null, epoch: lease?.revision ?? 0, pin }];
  });
  return assign(members, holdings);
}

/** An id behind all ids of sessions. */
const NEWCOMER = '~';

/** What one more member would get, by the session that has it now; null: nobody has it. */
export function gainsOf(model: Model): Map<string | null, number[]> {
  const gains = new Map<string | null, number[]>();
  const plan = planOf(model, [...planned(model).map(({ id }) => id), NEWCOMER]);
  for (const partition of partitionsOf(model)) {
    if (plan.get(partition) !== NEWCOMER) continue;
    const owner = liveOwner(model, partition)?.id ?? null;
    gains.set(owner, [...(gains.get(owner) ?? []), partition]);
  }
  return gains;
}

/**
 * Where a member's partitions go when it ends: the group's own plan without it. Partitions by the session that gets
 * them; null: nobody is there to take them.
 */
export function heirsOf(model: Model, id: string): Map<string | null, number[]> {
  const others = planned(model).filter((member) => member.id !== id);
  const plan = planOf(
    model,
    others.map((member) => member.id),
  );
  const heirs = new Map<string | null, number[]>();
  for (const partition of partitionsOf(model)) {
    if (liveOwner(model, partition)?.id !== id) continue;
    const heir = plan.get(partition) ?? null;
    heirs.set(heir, [...(heirs.get(heir) ?? []), partition]);
  }
  return heirs;
}

/** Who gets a partition that its owner is asked to give away: the other member that has fewest; null: it is alone. */
export function nextOwnerOf(model: Model, partition: number): Member | null {
  const owner = liveOwner(model, partition);
  const loads = new Map(planned(model).map((member) => [member.id, 0]));
  for (const row of partitionRows(model)) {
    const load = row.owner && loads.get(row.owner.id);
    if (row.owner && load !== undefined && load !== null) loads.set(row.owner.id, load + 1);
  }
  let least: Member | null = null;
  for (const member of planned(model)) {
    if (member.id === owner?.id) continue;
    if (!least || (loads.get(member.id) ?? 0) < (loads.get(least.id) ?? 0)) least = member;
  }
  return least;
}
