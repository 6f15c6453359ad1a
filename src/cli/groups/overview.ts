import { isAboutTheGroup } from '../../core/admin/group-fault.js';
import { type GroupTotals, NO_TOTALS, totalsOf } from '../../core/admin/group-status.js';
import type { NatspocError } from '../../core/lib/errors.js';
import type { AllGroups, GroupFound } from './all-groups.js';

/**
 * The state of a group. `running`: it has running members. `idle`: its members have done a bounded job and left. `no-members`: it has no
 * members, and is not idle. `unreadable`: its layout cannot be read.
 */
export type GroupState = 'running' | 'idle' | 'no-members' | 'unreadable';

/** The state of a group at one moment. */
export interface GroupOverview extends GroupTotals {
  group: string;
  state: GroupState;
  /** The key and the filter of a keyed group; null for other groups. */
  key: string | null;
  filter: string | null;
  /** When the group last committed a position, in milliseconds since 1970; null: never. */
  lastCommitAtMs: number | null;
  /** The number of wrong positions; "leases check" gives the reasons. */
  wrongPositions: number;
  /** The number of partitions to which the group is being resized; null: no resize. */
  resizingTo: number | null;
  /** Why the group is unreadable; null: it is readable. */
  problem: string | null;
}

/** All groups of a stream, keyed or not, by name. */
export async function readGroups(all: AllGroups): Promise<GroupOverview[]> {
  const readings = await all.read();
  return readings.map((reading) => {
    if ('found' in reading) return overviewOf(reading.found);
    const { group, error } = reading;
    // A fault of one group must not hide the other groups.
    if (!isAboutTheGroup(error)) throw error;
    return unreadableGroup(group, error);
  });
}

/** The overview of a group that was read. */
export function overviewOf({ group, key, filter, status }: GroupFound): GroupOverview {
  const totals = totalsOf(status);
  const ages = status.partitions.flatMap(({ positionAgeMs }) => positionAgeMs ?? []);
  return {
    group,
    state: totals.members > 0 ? 'running' : status.idle ? 'idle' : 'no-members',
    key,
    filter,
    ...totals,
    lastCommitAtMs: ages.length > 0 ? Date.now() - Math.min(...ages) : null,
    wrongPositions: status.partitions.filter(({ positionFault }) => positionFault !== null).length,
    resizingTo: status.resize?.to ?? null,
    problem: null,
  };
}

/** The overview of a group that cannot be read. */
export const unreadableGroup = (group: string, { message }: NatspocError): GroupOverview => ({
  ...NO_FACTS,
  group,
  state: 'unreadable',
  problem: message,
});

/** The overview of a group about which nothing is known. */
export const NO_FACTS: Omit<GroupOverview, 'group' | 'state'> = {
  ...NO_TOTALS,
  problem: null,
  key: null,
  filter: null,
  lastCommitAtMs: null,
  wrongPositions: 0,
  resizingTo: null,
};
