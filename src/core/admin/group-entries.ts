import type { ViewEntry } from '../protocol/events.js';
import type { GroupLayoutRecord } from '../protocol/layout-records.js';
import type { LeaseRecord, OverrideRecord, SessionRecord } from '../protocol/records.js';

/** An entry. `atMs`: when it was stored, in milliseconds since 1970 on the observer's clock. */
interface Seen<T> {
  revision: number;
  record: T;
  atMs: number;
}

/** A session; `record` is null if the session cannot be read. */
export interface SeenSession extends Seen<SessionRecord | null> {
  id: string;
}

/** A lease; its revision is the epoch. */
export type SeenLease = Seen<LeaseRecord | 'unreadable' | null>;

/** An operator's override of a partition; `record` is null if the override was removed. */
export type SeenOverride = Seen<OverrideRecord | 'unreadable' | null>;

/** The layout of a keyed group. */
export type SeenLayout = Seen<GroupLayoutRecord | 'unreadable' | null>;

/** A change of the known state. `before` is undefined if nothing was known before. `after` is null if a session has ended. */
export type GroupChange =
  | { kind: 'session'; id: string; before: SeenSession | undefined; after: SeenSession | null }
  | { kind: 'lease'; partition: number; before: SeenLease | undefined; after: SeenLease }
  | { kind: 'override'; partition: number; before: SeenOverride | undefined; after: SeenOverride }
  | { kind: 'layout'; before: SeenLayout | undefined; after: SeenLayout };

/** Maximum number of remembered ends of sessions. After a forgotten end, an older entry could make the session appear alive. */
const MAX_ENDED = 1_000;

/** The name of a session's member; the session id if the session cannot be read. */
export const nameOf = ({ id, record }: SeenSession): string => record?.name ?? id;

/** The record of an entry; null if there is none, or if it cannot be read. */
export const readable = <T>(seen: Seen<T | 'unreadable' | null> | undefined): T | null =>
  seen === undefined || seen.record === 'unreadable' ? null : seen.record;

const byId = (a: SeenSession, b: SeenSession): number => (a.id < b.id ? -1 : 1);

/**
 * A group as seen from outside: its sessions, leases and overrides. Entries can be applied in any order: an entry that is not newer than
 * the known entry changes nothing.
 */
export class GroupEntries {
  readonly sessions: Map<string, SeenSession>;
  readonly leases: Map<number, SeenLease>;
  readonly overrides: Map<number, SeenOverride>;
  /** The layout of a keyed group; undefined if no layout was seen. */
  layout: SeenLayout | undefined;
  /** Sessions that have ended, with the revision and the time of the end. */
  readonly ended: Map<string, { revision: number; atMs: number }>;
  /** The newest revision so far. */
  #newest: number;

  /** Starts with a copy of `known`; by default without entries. */
  constructor(known?: GroupEntries) {
    this.sessions = new Map(known?.sessions);
    this.leases = new Map(known?.leases);
    this.overrides = new Map(known?.overrides);
    this.layout = known?.layout;
    this.ended = new Map(known?.ended);
    this.#newest = known ? known.#newest : 0;
  }

  /** Applies one entry. Returns the change; undefined if nothing has changed. */
  apply(entry: ViewEntry, atMs: number): GroupChange | undefined {
    const isNewest = entry.revision > this.#newest;
    if (isNewest) this.#newest = entry.revision;
    const { revision } = entry;
    if (entry.kind === 'session') {
      const { id } = entry;
      const before = this.sessions.get(id);
      if ((before ?? this.ended.get(id) ?? { revision: 0 }).revision >= revision) return undefined;
      if (entry.record !== null) {
        const after = { id, revision, record: entry.record === 'unreadable' ? null : entry.record, atMs };
        this.sessions.set(id, after);
        return { kind: 'session', id, before, after };
      }
      const change = this.#end(id, revision, atMs);
      // If the session was unknown, its end is a change only if this entry is the newest so far.
      return before || isNewest ? change : undefined;
    }
    if (entry.kind === 'layout') {
      const before = this.layout;
      if (before && before.revision >= revision) return undefined;
      const after = { revision, record: entry.record, atMs };
      this.layout = after;
      return { kind: 'layout', before, after };
    }
    const { partition } = entry;
    if (entry.kind === 'lease') {
      const before = this.leases.get(partition);
      if (before && before.revision >= revision) return undefined;
      const after = { revision, record: entry.record, atMs };
      this.leases.set(partition, after);
      return { kind: 'lease', partition, before, after };
    }
    const before = this.overrides.get(partition);
    if (before && before.revision >= revision) return undefined;
    const after = { revision, record: entry.record, atMs };
    this.overrides.set(partition, after);
    return { kind: 'override', partition, before, after };
  }

  /** Applies a complete snapshot, and yields each change. Removes older entries that are not in the snapshot. */
  *applySnapshot(entries: readonly ViewEntry[], atMs: number): Generator<GroupChange> {
    const inOrder = [...entries].sort((a, b) => a.revision - b.revision);
    const newest = inOrder.at(-1)?.revision ?? 0;
    const present = new Set(
      inOrder.flatMap((each) =>
        each.kind === 'layout' ? [] : [`${each.kind} ${each.kind === 'session' ? each.id : each.partition}`],
      ),
    );
    const gone = <Key>(kind: ViewEntry['kind'], known: ReadonlyMap<Key, Seen<unknown>>): Key[] =>
      [...known].flatMap(([key, { revision }]) =>
        revision <= newest && !present.has(`${kind} ${key}`) ? [key] : [],
      );
    for (const id of gone('session', this.sessions)) yield this.#end(id, newest, atMs);
    for (const partition of gone('lease', this.leases)) this.leases.delete(partition);
    for (const partition of gone('override', this.overrides)) this.overrides.delete(partition);
    for (const entry of inOrder) {
      const change = this.apply(entry, atMs);
      if (change) yield change;
    }
  }

  #end(id: string, revision: number, atMs: number): GroupChange {
    const before = this.sessions.get(id);
    this.sessions.delete(id);
    this.ended.set(id, { revision, atMs });
    const [oldest] = this.ended.keys();
    if (this.ended.size > MAX_ENDED && oldest !== undefined) this.ended.delete(oldest);
    return { kind: 'session', id, before, after: null };
  }

  /** The record of a lease; null if it does not exist, cannot be read, or is from before the last resize. */
  leaseOf(partition: number): LeaseRecord | null {
    const record = readable(this.leases.get(partition));
    return record && (record.layout ?? 0) < (readable(this.layout)?.epoch ?? 0) ? null : record;
  }

  /** True for a partition that is closed for the current resize. */
  isClosed(partition: number): boolean {
    const { layout } = this;
    if (!readable(layout)?.next) return false;
    return this.leaseOf(partition)?.closed?.order === layout?.revision;
  }

  /** True for a partition without an owner that is kept for a restarting member. */
  isReserved(partition: number): boolean {
    const lease = this.leaseOf(partition);
    return lease?.owner === null && lease.reserved !== undefined;
  }

  /** The override of a partition; null if there is no override, or if it cannot be read. */
  overrideOf(partition: number): OverrideRecord | null {
    return readable(this.overrides.get(partition));
  }

  /** True for a lease that cannot be read. Members do not change it. */
  isUnreadable(partition: number): boolean {
    return this.leases.get(partition)?.record === 'unreadable';
  }

  /** The session of a partition's owner, dead or alive; null if there is no owner. */
  ownerOf(partition: number): string | null {
    return this.leaseOf(partition)?.owner ?? null;
  }

  /** The epoch of a partition's owner; 0 if there never was a lease. */
  epochOf(partition: number): number {
    return this.leases.get(partition)?.revision ?? 0;
  }

  /** The name of a partition's owner, dead or alive; null if there is no owner. */
  ownerNameOf(partition: number): string | null {
    const record = this.leaseOf(partition);
    return record && record.owner !== null ? record.name : null;
  }

  /** The session of a partition's owner; undefined if no owner has a session. */
  liveOwner(partition: number): SeenSession | undefined {
    return this.sessions.get(this.ownerOf(partition) ?? '');
  }

  /** The partitions of this session, in ascending order. */
  ownedBy(id: string): number[] {
    return [...this.leases.keys()].filter((each) => this.ownerOf(each) === id).sort((a, b) => a - b);
  }

  /** The members with this name or session id, sorted by id. */
  named(nameOrId: string): SeenSession[] {
    return [...this.sessions.values()]
      .filter(({ id, record }) => id === nameOrId || record?.name === nameOrId)
      .sort(byId);
  }

  /** The members among which the plan divides the partitions, sorted by id. */
  planned(): SeenSession[] {
    return [...this.sessions.values()].filter(({ record }) => record && !record.leaving).sort(byId);
  }

  /** The member to which a partition is pinned. */
  pinnedTo(partition: number): SeenSession | undefined {
    const pin = this.overrideOf(partition)?.pin ?? null;
    return pin === null ? undefined : this.receiverOf(pin);
  }

  /** The member that gets partitions pinned to this name or session id: of several members, the one with the lowest id. */
  receiverOf(nameOrId: string): SeenSession | undefined {
    return this.named(nameOrId).find(({ record }) => record && !record.leaving);
  }
}
