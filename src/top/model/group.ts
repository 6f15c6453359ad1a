import { compareNames } from '../../core/admin/describe-group.js';
import { type GroupChange, GroupEntries, readable } from '../../core/admin/group-entries.js';
import { eventsOf } from '../../core/admin/group-event.js';
import type { PastEntry } from '../../core/ports/facts.js';
import type { ProofEntry, ViewEntry } from '../../core/protocol/events.js';
import { tailOf } from './handled.js';
import { initialModel, keptUpdates, type Member, type Model, type Stretch, type Update } from './model.js';
import { lagOf } from './select.js';
import { ratePerSecond } from './series.js';

/** How long the timeline and ended sessions are kept, in milliseconds. */
const KEEP_MS = 900_000;

type SessionChange = Extract<GroupChange, { kind: 'session' }>;
type LeaseChange = Extract<GroupChange, { kind: 'lease' }>;

const UNASKED: Omit<Member, 'renewedAt'> = {
  lookedAt: null,
  answer: 'answered',
  unansweredSince: null,
  stats: null,
  statsAt: null,
  handled: [],
  alloc: [],
};

/** Records a renewal. `lookedAt` is when it was read as the newest one; null if a newer renewal can exist. */
function renew(
  members: Map<string, Member>,
  { id, ended }: ProofEntry,
  at: number,
  lookedAt: number | null,
): void {
  const known = members.get(id);
  if (!known || ended) return;
  const renewedAt = Math.max(known.renewedAt, at);
  members.set(id, { ...known, renewedAt, lookedAt: lookedAt ?? known.lookedAt });
}

/** The maps that a batch of entries changes. */
class Draft {
  readonly #model: Model;
  readonly group: GroupEntries;
  readonly members: Map<string, Member>;
  readonly letters: Map<string, number>;
  readonly strips: Map<number, readonly Stretch[]>;
  readonly updates: Update[];
  handled: Model['handled'];

  constructor(model: Model) {
    this.#model = model;
    this.group = new GroupEntries(model.group);
    this.members = new Map(model.members);
    this.letters = new Map(model.letters);
    this.strips = new Map(model.strips);
    this.updates = [...model.updates];
    this.handled = model.handled;
  }

  apply(entry: ViewEntry | ProofEntry, at: number): void {
    if (entry.kind === 'proof') {
      renew(this.members, entry, at, null);
      return;
    }
    const change = this.group.apply(entry, at);
    if (change) this.tell(change, at, false);
  }

  /** Quiet changes do not become updates, because their times are unknown. */
  tell(change: GroupChange, at: number, quiet: boolean): void {
    const known: Pick<Update, 'gapMs' | 'silentMs'> =
      change.kind === 'session'
        ? this.#session(change, at, quiet)
        : change.kind === 'lease'
          ? this.#lease(change, at)
          : {};
    for (const event of eventsOf(change)) {
      if (!quiet || event.event === 'unreadable') this.updates.push({ at, ...event, ...known });
    }
  }

  #session({ id, before, after }: SessionChange, at: number, quiet: boolean): Pick<Update, 'silentMs'> {
    const member = this.members.get(id);
    if (after) {
      this.#giveLetter(id, readable(after)?.name);
      this.members.set(id, { ...(member ?? UNASKED), renewedAt: at });
      return {};
    }
    this.members.delete(id);
    // The session has ended, so its partitions are not handled any more, even if leases still name it.
    for (const partition of this.group.ownedBy(id)) this.#stretch(partition, at, null);
    if (!before || !member) {
      // The session was never read. An earlier update about its partitions may contain the member's name.
      const owner = this.updates.findLast((update) => 'session' in update && update.session === id);
      if (!quiet && owner && 'member' in owner)
        this.updates.push({ at, event: 'ended', member: owner.member, session: id });
      return {};
    }
    if (!before.record?.leaving) return { silentMs: at - member.renewedAt };
    this.handled = { ...this.handled, after: this.handled.after + tailOf(this.handled, member, at) };
    return {};
  }

  #lease({ partition, before, after }: LeaseChange, at: number): Pick<Update, 'gapMs'> {
    const { owner = null, name, reason } = readable(after) ?? {};
    if (owner !== null) this.#giveLetter(owner, name);
    this.#stretch(partition, at, owner !== null && this.group.ended.has(owner) ? null : owner);
    const endedAt = this.group.ended.get(readable(before)?.owner ?? '')?.atMs;
    const gapMs = reason === 'claim' && endedAt !== undefined ? Math.max(0, at - endedAt) : null;
    return owner === null ? {} : { gapMs };
  }

  #stretch(partition: number, at: number, owner: string | null): void {
    const strip = this.strips.get(partition) ?? [];
    if (strip.length > 0 && strip.at(-1)?.owner === owner) return;
    const hasWaited = owner === null && this.#isInUse(partition);
    this.strips.set(partition, [...strip, { at, owner, ...(hasWaited && { waited: true }) }]);
  }

  #isInUse(partition: number): boolean {
    const { series } = this.#model.progress.get(partition)?.counts ?? { series: [] };
    return (lagOf(this.#model, partition) ?? 0) > 0 || (ratePerSecond(series) ?? 0) > 0;
  }

  /**
   * Gives a letter to a session: that of the last ended session with the same name, if no living session has it. Otherwise it is the first
   * unused letter.
   */
  #giveLetter(id: string, name: string | undefined): void {
    if (this.letters.has(id)) return;
    const isLiving = (other: string): boolean => !this.group.ended.has(other);
    const before = [...this.letters].findLast(
      ([other]) => !isLiving(other) && nameIn(this.updates, other) === name,
    );
    const isFree = ([other, letter]: [string, number]): boolean => letter !== before?.[1] || !isLiving(other);
    if (before && name !== undefined && [...this.letters].every(isFree)) {
      this.letters.set(id, before[1]);
      return;
    }
    const taken = new Set(this.letters.values());
    let letter = 0;
    while (taken.has(letter)) letter++;
    this.letters.set(id, letter);
  }

  finish(model: Model): Model {
    const { now } = model;
    for (const [partition, strip] of this.strips) {
      const keep = strip.findIndex((_, i) => (strip[i + 1]?.at ?? now) > now - KEEP_MS);
      if (keep > 0) this.strips.set(partition, strip.slice(keep));
    }
    for (const [id, { atMs }] of this.group.ended) {
      if (atMs > now - KEEP_MS || this.group.ownedBy(id).length > 0) continue;
      this.group.ended.delete(id);
      this.letters.delete(id);
    }
    const { group, members, letters, strips, handled } = this;
    const isResized = (readable(group.layout)?.epoch ?? 0) !== (readable(model.group.layout)?.epoch ?? 0);
    // After a resize, the old progress says nothing about the new partitions.
    const progress = isResized ? new Map() : model.progress;
    return {
      ...model,
      progress,
      group,
      members,
      letters,
      strips,
      handled,
      updates: keptUpdates(this.updates),
    };
  }
}

/** Applies the group's history, oldest first. */
export function applyHistory(model: Model, entries: readonly PastEntry[]): Model {
  const draft = new Draft(model);
  for (const { entry, atMs } of entries) draft.apply(entry, Math.min(atMs, model.now));
  return draft.finish(model);
}

/** Sets when members last renewed their sessions. */
export function applyProofs(model: Model, proofs: readonly PastEntry[]): Model {
  const members = new Map(model.members);
  for (const { entry, atMs } of proofs)
    if (entry.kind === 'proof') renew(members, entry, Math.min(atMs, model.now), model.now);
  return { ...model, members };
}

/** Applies changes as they arrive. Entries older than the known entries are ignored. */
export function applyChanges(model: Model, entries: readonly ViewEntry[]): Model {
  const draft = new Draft(model);
  for (const entry of entries) draft.apply(entry, model.now);
  return draft.finish(model);
}

/** The newest revision of the existing entries. Deleted sessions and overrides do not count, because members remove their traces. */
function newestOf({ sessions, leases, overrides, layout }: GroupEntries): number {
  const set = [...overrides.values()].filter(({ record }) => record !== null);
  const seen = [...sessions.values(), ...leases.values(), ...set, ...(layout ? [layout] : [])];
  return seen.reduce((newest, { revision }) => Math.max(newest, revision), 0);
}

/** The model before anything was seen of the group's entries. Past updates are kept. */
function withoutEntries(model: Model): Model {
  const { ready, group, members, letters, progress, took, strips } = initialModel(model.now);
  return { ...model, ready, group, members, letters, progress, took, strips };
}

/** Applies a snapshot of the group. Differences from the known entries become updates, except for the first snapshot. */
export function applySnapshot(before: Model, entries: readonly ViewEntry[]): Model {
  const newest = entries.reduce((most, { revision }) => Math.max(most, revision), 0);
  // The bucket was purged or restored, so newer entries are lost, and their revisions are used again.
  const model = newest < newestOf(before.group) ? withoutEntries(before) : before;
  const draft = new Draft(model);
  const { leases, sessions } = model.group;
  const known = model.ready || leases.size > 0 || sessions.size > 0;
  for (const change of draft.group.applySnapshot(entries, model.now)) draft.tell(change, model.now, !known);
  const next = { ...draft.finish(model), ready: true };
  return model.ready ? next : { ...next, letters: firstLetters(next) };
}

/** The letters at the first snapshot. They follow the order of names, so all screens show the same letters. */
function firstLetters({ group: { sessions }, letters, updates }: Model): Map<string, number> {
  const name = (id: string): string => sessions.get(id)?.record?.name ?? nameIn(updates, id) ?? '';
  const living = (id: string): number => (sessions.has(id) ? 0 : 1);
  const ids = [...letters.keys()].sort(
    (a, b) => living(a) - living(b) || compareNames(name(a), name(b)) || (a < b ? -1 : 1),
  );
  const given = new Map<string, number>();
  const byName = new Map<string, number>();
  let next = 0;
  for (const id of ids) {
    // An ended session has the letter of the living session with its name.
    const known = sessions.has(id) ? undefined : byName.get(name(id));
    const letter = known ?? next++;
    given.set(id, letter);
    if (name(id) !== '' && !byName.has(name(id))) byName.set(name(id), letter);
  }
  return given;
}

/** The name of a session in its last update; undefined if there is none. */
function nameIn(updates: readonly Update[], id: string): string | undefined {
  const update = updates.findLast((each) => 'session' in each && each.session === id);
  return update && 'member' in update ? update.member : undefined;
}
