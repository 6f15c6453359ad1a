import { compare, type Holding, type Plan } from './assign.js';
import { leaseNow, orderOf } from './known-layout.js';
import type { OwnPartition, State } from './state.js';

/** The members that the plan includes, with their names. */
export function planMembers(state: State): Map<string, string> {
  const members = new Map<string, string>();
  if (!state.leaving && state.session.id !== null) members.set(state.session.id, state.name);
  for (const { id, record } of state.peers.values()) {
    if (record !== 'unreadable' && !record.leaving) members.set(id, record.name);
  }
  return members;
}

/**
 * All partitions that the plan can move. It omits partitions with an unreadable lease, and those reserved for a member
 * that has not returned yet. This moves no other partition: the loads of the present members still differ by at most
 * one.
 */
export function* holdings(state: State, members: ReadonlyMap<string, string>): Iterable<Holding> {
  const named = new Named(members);
  for (let partition = 0; partition < state.partitions; partition++) {
    const lease = leaseNow(state, partition);
    if (lease?.record === 'unreadable') continue;
    const pin = pinOf(state, partition, named);
    const reserved = orderOf(state) ? undefined : lease?.record?.reserved;
    const owner = lease?.record?.owner ?? (reserved && named.find(reserved.name)) ?? null;
    if (owner === null && pin === null && reserved && state.reserved.has(partition)) continue;
    yield { partition, owner, epoch: lease?.revision ?? 0, pin };
  }
}

/** The id of the present member to which an operator pinned the partition, or null. */
function pinOf({ overrides }: State, partition: number, named: Named): string | null {
  const record = overrides.get(partition)?.record;
  const pin = record === 'unreadable' ? null : (record?.pin ?? null);
  return pin === null ? null : (named.find(pin) ?? null);
}

/** Finds members by id or name. If members share a name, it stands for the one with the lowest id. */
class Named {
  readonly #members: ReadonlyMap<string, string>;
  #byName: Map<string, string> | undefined;

  constructor(members: ReadonlyMap<string, string>) {
    this.#members = members;
  }

  find(wanted: string): string | undefined {
    this.#byName ??= this.#index();
    return this.#byName.get(wanted);
  }

  #index(): Map<string, string> {
    const byName = new Map<string, string>();
    for (const id of [...this.#members.keys()].sort(compare)) {
      byName.set(id, id);
      const name = this.#members.get(id) ?? '';
      if (!byName.has(name)) byName.set(name, id);
    }
    return byName;
  }
}

/**
 * The member that receives a drained partition: the requested member, otherwise the planned member; null if there is
 * none. A member that leaves for a restart hands over only to its own next session, which has the same name.
 */
export function receiver(
  state: State,
  partition: number,
  own: OwnPartition,
  plan: Plan,
  members: Map<string, string>,
): string | null {
  if (own.release) {
    const { to } = own.release;
    for (const [id, name] of members) {
      if (to !== null && (name === to || id === to)) return id;
    }
    return leastLoaded(state, plan, members) ?? (state.leaving ? null : state.session.id);
  }
  if (state.leaving && state.rejoinWithinMs > 0) return new Named(members).find(state.name) ?? null;
  const planned = plan.get(partition);
  if (planned !== undefined && members.has(planned)) return planned;
  return state.leaving ? null : state.session.id;
}

/** The other member with the fewest partitions in the plan. Among equals, the one with the lowest id. */
function leastLoaded(state: State, plan: Plan, members: Map<string, string>): string | undefined {
  const loads = new Map<string, number>();
  for (const id of [...members.keys()].sort()) if (id !== state.session.id) loads.set(id, 0);
  for (const id of plan.values()) {
    const load = loads.get(id);
    if (load !== undefined) loads.set(id, load + 1);
  }
  let least: string | undefined;
  for (const [id, load] of loads) {
    if (least === undefined || load < (loads.get(least) ?? 0)) least = id;
  }
  return least;
}
