import { assign, compare, type Holding } from '../../core/group/assign.js';
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

/**
 * Where a member's partitions go when it ends: the group's own plan without it. Partitions by the session that gets
 * them; null: nobody is there to take them.
 */
export function heirsOf(model: Model, id: string): Map<string | null, number[]> {
  const members = planned(model).filter((member) => member.id !== id);
  const holdings = partitionsOf(model).flatMap((partition): Holding[] => {
    const lease = model.leases.get(partition);
    if (lease?.record === 'unreadable') return [];
    const pinned = pinnedTo(model, partition);
    return [
      {
        partition,
        owner: lease?.record?.owner ?? null,
        epoch: lease?.revision ?? 0,
        pin: pinned && pinned.id !== id ? pinned.id : null,
      },
    ];
  });
  const plan = assign(
    members.map((member) => member.id),
    holdings,
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
