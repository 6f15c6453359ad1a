import type { SeenSession } from '../../core/admin/group-entries.js';
import { assign, type Holding, type Plan } from '../../core/protocol/assign.js';
import type { Model } from './model.js';
import { memberRows, partitionsOf } from './select.js';

/** The group's own plan if these were its members. */
function planOf(model: Model, members: readonly string[]): Plan {
  const { group } = model;
  const holdings = partitionsOf(model).flatMap((partition): Holding[] => {
    if (group.isUnreadable(partition)) return [];
    const pin = group.pinnedTo(partition)?.id ?? null;
    return [{ partition, owner: group.ownerOf(partition), epoch: group.epochOf(partition), pin }];
  });
  return assign(members, holdings);
}

/** An id behind all ids of sessions. */
const NEWCOMER = '~';

/** What one more member would get, by the session that has it now; null: nobody has it. */
export function gainsOf(model: Model): Map<string | null, number[]> {
  const gains = new Map<string | null, number[]>();
  const plan = planOf(model, [...model.group.planned().map(({ id }) => id), NEWCOMER]);
  for (const partition of partitionsOf(model)) {
    if (plan.get(partition) !== NEWCOMER) continue;
    const owner = model.group.liveOwner(partition)?.id ?? null;
    gains.set(owner, [...(gains.get(owner) ?? []), partition]);
  }
  return gains;
}

/**
 * Where a member's partitions go when it ends: the group's own plan without it. Partitions by the session that gets
 * them; null: nobody is there to take them.
 */
export function heirsOf(model: Model, id: string): Map<string | null, number[]> {
  const others = model.group.planned().filter((member) => member.id !== id);
  const plan = planOf(
    model,
    others.map((member) => member.id),
  );
  const heirs = new Map<string | null, number[]>();
  for (const partition of partitionsOf(model)) {
    if (model.group.liveOwner(partition)?.id !== id) continue;
    const heir = plan.get(partition) ?? null;
    heirs.set(heir, [...(heirs.get(heir) ?? []), partition]);
  }
  return heirs;
}

/** Who gets a partition that its owner is asked to give away: the other member that has fewest; null: it is alone. */
export function nextOwnerOf(model: Model, partition: number): SeenSession | null {
  const loads = new Map(memberRows(model).map(({ session, partitions }) => [session, partitions.length]));
  const loadOf = ({ id }: SeenSession): number => loads.get(id) ?? 0;
  let least: SeenSession | null = null;
  for (const member of model.group.planned()) {
    if (member.id === model.group.ownerOf(partition)) continue;
    if (!least || loadOf(member) < loadOf(least)) least = member;
  }
  return least;
}
