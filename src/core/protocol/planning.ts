import { compare, type Holding, type Plan } from './assign.js';
import { leaseNow } from './known-layout.js';
import type { OwnPartition, State } from './state.js';

/** The members that the plan counts on, with their names. */
export function planMembers(state: State): Map<string, string> {
  const members = new Map<string, string>();
  if (!state.leaving && state.session.id !== null) members.set(state.session.id, state.name);
  for (const { id, record } of state.peers.values()) {
    if (record !== 'unreadable' && !record.leaving) members.set(id, record.name);
  }
  return members;
}

/** All partitions except those whose lease is unreadable: these stay as they are. */
export function* holdings(state: State, members: ReadonlyMap<string, string>): Iterable<Holding> {
  const pins = pinnedTo(state, members);
  for (let partition = 0; partition < state.partitions; partition++) {
    const lease = leaseNow(state, partition);
    if (lease?.record === 'unreadable') continue;
    const pin = pins.get(partition) ?? null;
    yield { partition, owner: lease?.record?.owner ?? null, epoch: lease?.revision ?? 0, pin };
  }
}

/** The present member of each pinned partition; if several have the name, the first by id. */
function pinnedTo(state: State, members: ReadonlyMap<string, string>): Map<number, string> {
  const pins = new Map<number, string>();
  if (state.overrides.size === 0) return pins;
  const byName = new Map<string, string>();
  for (const id of [...members.keys()].sort(compare)) {
    byName.set(id, id);
    const name = members.get(id) ?? '';
    if (!byName.has(name)) byName.set(name, id);
  }
  for (const [partition, { record }] of state.overrides) {
    const wanted = record === 'unreadable' ? null : (record?.pin ?? null);
    const id = wanted === null ? undefined : byName.get(wanted);
    if (id !== undefined) pins.set(partition, id);
  }
  return pins;
}

/** The receiver of a drained partition: the requested one, otherwise the planned one; null: there is none. */
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
  const planned = plan.get(partition);
  if (planned !== undefined && members.has(planned)) return planned;
  return state.leaving ? null : state.session.id;
}

/** The other member with the fewest partitions in the plan; the first by id among equals. */
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
