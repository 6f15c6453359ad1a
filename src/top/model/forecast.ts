import type { SeenSession } from '../../core/admin/group-entries.js';
import { assign, type Holding, type Plan } from '../../core/protocol/assign.js';
import type { Model } from './model.js';
import { memberRows, partitionsOf } from './select.js';

function planOf(model: Model, members: readonly string[]): Plan {
  const { group } = model;
  const holdings = partitionsOf(model).flatMap((partition): Holding[] => {
    if (group.isUnreadable(partition)) return [];
    const pin = group.pinnedTo(partition)?.id ?? null;
    return [{ partition, owner: group.ownerOf(partition), epoch: group.epochOf(partition), pin }];
  });
  return assign(members, holdings);
}

/** An id that sorts after all session ids. */
const NEWCOMER = '~';

/**
 * The partitions that one more member would get, by the session of their present owner. The key null is for partitions without an owner.
 */
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
 * The partitions of a member, by the session that would get them if the member ended. The key null is for partitions that no member would
 * get.
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

/** The next owner of a released partition: the other member with the fewest partitions; null if there is none. */
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
