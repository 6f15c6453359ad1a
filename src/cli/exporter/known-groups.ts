import type { Finding } from '../../core/admin/finding.js';
import { isAboutTheGroup } from '../../core/admin/group-fault.js';
import type { GroupStatus } from '../../core/admin/group-status.js';
import type { NatspocError } from '../../core/lib/errors.js';
import type { GroupReading } from '../groups/all-groups.js';
import { type GroupOverview, NO_FACTS, overviewOf, unreadableGroup } from '../groups/overview.js';
import { loadOf, type Suggestion, Suggestions } from './suggestion.js';

/** The state of a group for the exporter. `missing`: a group of --group that does not exist. */
export type ExportedState = GroupOverview['state'] | 'missing';

/** The last known state of a group. */
export interface KnownGroup extends Omit<GroupOverview, 'state'>, Omit<Suggestion, 'suggestedMembers'> {
  state: ExportedState;
  /** The number of members that the group should have; null: not known. */
  suggestedMembers: number | null;
  /** The status of the group; absent if the group cannot be read, or does not exist. */
  status?: GroupStatus | undefined;
  findings: readonly Finding[];
  /** When the group was read, on this process's clock, in milliseconds. */
  readAt: number;
  /** Why the last reading of this group failed, although other groups could be read; null if it did not fail. */
  stale: string | null;
}

/**
 * The last reading of each group. If the server or a missing permission causes a failure, the group keeps its last state. `readAt` shows
 * how old it is.
 */
export class KnownGroups {
  readonly #targetMs: number;
  readonly #named: readonly string[];
  #groups = new Map<string, KnownGroup>();
  readonly #suggestions = new Map<string, Suggestions>();

  /** @param named groups that are reported even if they do not exist. */
  constructor(targetMs: number, named: readonly string[]) {
    this.#targetMs = targetMs;
    this.#named = named;
  }

  /** All groups, by name. */
  get all(): KnownGroup[] {
    return [...this.#groups.values()].sort((a, b) => (a.group < b.group ? -1 : 1));
  }

  get(group: string): KnownGroup | undefined {
    return this.#groups.get(group);
  }

  /** Replaces the former readings. Returns the names of new groups, and of groups that are gone. */
  replace(readings: readonly GroupReading[], now: number): { come: string[]; gone: string[] } {
    const before = this.#groups;
    const groups = new Map(readings.map((reading) => [reading.group, this.#known(reading, now)]));
    for (const group of this.#named) if (!groups.has(group)) groups.set(group, missing(group, now));
    for (const group of before.keys()) if (!groups.has(group)) this.#suggestions.delete(group);
    this.#groups = groups;
    const exists = (known: ReadonlyMap<string, KnownGroup>, group: string): boolean =>
      (known.get(group)?.state ?? 'missing') !== 'missing';
    return {
      come: [...groups.keys()].filter((group) => exists(groups, group) && !exists(before, group)),
      gone: [...before.keys()].filter((group) => exists(before, group) && !exists(groups, group)),
    };
  }

  #known(reading: GroupReading, now: number): KnownGroup {
    const { group } = reading;
    if ('error' in reading) return this.#failed(group, reading.error, now);
    const { status, findings } = reading.found;
    const suggestions = this.#suggestions.get(group) ?? new Suggestions(this.#targetMs);
    this.#suggestions.set(group, suggestions);
    const suggestion = suggestions.next(loadOf(status, now));
    return { ...overviewOf(reading.found), ...suggestion, status, findings, readAt: now, stale: null };
  }

  /** A fault of the group becomes its state. After a fault of the server or a missing permission, the group keeps its last state. */
  #failed(group: string, error: NatspocError, now: number): KnownGroup {
    const before = this.#groups.get(group);
    if (before?.status && !isAboutTheGroup(error)) return { ...before, stale: error.message };
    return { ...NO_INSIGHT, ...unreadableGroup(group, error), readAt: now };
  }
}

const NO_INSIGHT = {
  suggestedMembers: null,
  arrivingPerSecond: null,
  memberPerSecond: null,
  findings: [],
  stale: null,
} as const;

/** A group that does not exist. One member is suggested, because only a member can create the group. */
const missing = (group: string, now: number): KnownGroup => ({
  ...NO_FACTS,
  ...NO_INSIGHT,
  group,
  state: 'missing',
  suggestedMembers: 1,
  readAt: now,
});
