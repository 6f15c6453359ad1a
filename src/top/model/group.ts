import type { PastEntry } from '../../core/ports/facts.js';
import type { ProofEntry, ViewEntry } from '../../core/protocol/events.js';
import { tailOf } from './handled.js';
import type { Lease, Member, Model, Override, Stretch, Update } from './model.js';
import { compareNames } from './select.js';

/** How much of the past is kept: updates by number, the timeline and ended sessions by time. */
const MAX_UPDATES = 1_000;
const KEEP_MS = 900_000;

type SessionEntry = Extract<ViewEntry, { kind: 'session' }>;
type LeaseEntry = Extract<ViewEntry, { kind: 'lease' }>;
type OverrideEntry = Extract<ViewEntry, { kind: 'override' }>;

/** Copies of what entries change, so that a batch of them copies each map once. */
class Draft {
  readonly members: Map<string, Member>;
  readonly leases: Map<number, Lease>;
  readonly overrides: Map<number, Override>;
  readonly ended: Map<string, { at: number; revision: number; name: string }>;
  readonly letters: Map<string, number>;
  readonly strips: Map<number, readonly Stretch[]>;
  readonly updates: Update[];
  handled: Model['handled'];
  /** The newest revision before these entries: what is not newer was there already. */
  readonly #seen: number;
  #newest: number;

  constructor(model: Model) {
    this.#seen = model.revision;
    this.#newest = model.revision;
    this.members = new Map(model.members);
    this.leases = new Map(model.leases);
    this.overrides = new Map(model.overrides);
    this.ended = new Map(model.ended);
    this.letters = new Map(model.letters);
    this.strips = new Map(model.strips);
    this.updates = [...model.updates];
    this.handled = model.handled;
  }

  /** `quiet`: what the entry changes happened at an unknown time, so it is no update. */
  apply(entry: ViewEntry | ProofEntry, at: number, quiet: boolean): void {
    if (entry.kind === 'proof') {
      this.proof(entry, at, null);
      return;
    }
    this.#newest = Math.max(this.#newest, entry.revision);
    if (entry.kind === 'session') this.#session(entry, at, quiet);
    else if (entry.kind === 'lease') this.#lease(entry, at, quiet);
    else this.#override(entry, at, quiet);
  }

  /** A renewal; `lookedAt`: it is the newest that there was then. */
  proof({ id, ended }: ProofEntry, at: number, lookedAt: number | null): void {
    const known = this.members.get(id);
    if (!known || ended) return;
    const renewedAt = Math.max(known.renewedAt, at);
    this.members.set(id, { ...known, renewedAt, lookedAt: lookedAt ?? known.lookedAt });
  }

  #override(entry: OverrideEntry, at: number, quiet: boolean): void {
    const { partition, revision } = entry;
    const known = this.overrides.get(partition);
    if (known && known.revision >= revision) return;
    if (entry.record === 'unreadable') {
      this.updates.push({ at, kind: 'unreadable', key: `override.${partition}` });
      return;
    }
    const [before, now] = [known?.record ?? null, entry.record];
    this.overrides.set(partition, { revision, record: now });
    if (quiet) return;
    const tell = (kind: 'paused' | 'resumed' | 'pinned' | 'unpinned') =>
      this.updates.push({ at, kind, partition, by: now?.by ?? '', to: now?.pin ?? null });
    if ((now?.paused ?? false) !== (before?.paused ?? false)) tell(now?.paused ? 'paused' : 'resumed');
    if ((now?.pin ?? null) !== (before?.pin ?? null)) tell(now?.pin ? 'pinned' : 'unpinned');
  }

  #session(entry: SessionEntry, at: number, quiet: boolean): void {
    const { id, revision, record } = entry;
    const known = this.members.get(id);
    if ((known?.revision ?? this.ended.get(id)?.revision ?? 0) >= revision) return;
    if (record === null) {
      if (known) this.end(known, at, revision, quiet);
      else this.#endUnseen(id, at, revision);
      return;
    }
    const readable = record === 'unreadable' ? null : record;
    if (!known) {
      this.#giveLetter(id);
      if (!quiet) this.updates.push({ at, kind: 'joined', owner: id, name: readable?.name ?? id });
    }
    if (!readable && (!known || known.record)) {
      this.updates.push({ at, kind: 'unreadable', key: `session.${id}` });
    }
    if (readable?.leaving && known?.record && !known.record.leaving) {
      this.updates.push({ at, kind: 'leaving', owner: id, name: readable.name });
    }
    const fresh = { lookedAt: null, stats: null, statsAt: 0, handled: [], alloc: [] };
    this.members.set(id, {
      ...(known ?? fresh),
      id,
      revision,
      record: readable,
      renewedAt: at,
      goneSince: null,
    });
  }

  /** A session is over of which nothing is kept but what it owned; where that is no news, nobody knows since when. */
  #endUnseen(id: string, at: number, revision: number): void {
    if (revision <= this.#seen) return;
    const owner = this.updates.findLast((update) => 'owner' in update && update.owner === id);
    const name = owner && 'name' in owner ? owner.name : null;
    this.ended.set(id, { at, revision, name: name ?? id });
    if (name !== null) this.updates.push({ at, kind: 'ended', owner: id, name });
    this.#closeStrips(id, at);
  }

  /** A session is over; whatever its leases say, nobody handles its partitions from here on. */
  end(member: Member, at: number, revision: number, quiet: boolean): void {
    const name = member.record?.name ?? member.id;
    this.members.delete(member.id);
    this.ended.set(member.id, { at, revision, name });
    const who = { at, owner: member.id, name };
    if (!quiet && member.record?.leaving) this.updates.push({ ...who, kind: 'left' });
    else if (!quiet) this.updates.push({ ...who, kind: 'died', silentMs: at - member.renewedAt });
    const after = this.handled.after + tailOf(this.handled, member, at);
    this.handled = { ...this.handled, after };
    this.#closeStrips(member.id, at);
  }

  #closeStrips(owner: string, at: number): void {
    for (const [partition, { record }] of this.leases) {
      if (record && record !== 'unreadable' && record.owner === owner) this.#stretch(partition, at, null);
    }
  }

  #lease(entry: LeaseEntry, at: number, quiet: boolean): void {
    const { partition, revision, record } = entry;
    const known = this.leases.get(partition);
    if (known && known.revision >= revision) return;
    this.leases.set(partition, { revision, record, since: at });
    if (record === 'unreadable') {
      this.updates.push({ at, kind: 'unreadable', key: `lease.${partition}` });
      this.#stretch(partition, at, null);
      return;
    }
    const owner = record?.owner ?? null;
    if (owner !== null && !this.letters.has(owner)) this.#giveLetter(owner);
    this.#stretch(partition, at, owner !== null && this.ended.has(owner) ? null : owner);
    if (quiet || !record) return;
    const before = known?.record && known.record !== 'unreadable' ? known.record.owner : null;
    if (record.owner === null) {
      this.updates.push({ at, kind: 'released', partition, from: record.from, fromSession: before });
      return;
    }
    const endedAt = before === null ? undefined : this.ended.get(before)?.at;
    const claimed = record.reason === 'claim';
    this.updates.push({
      at,
      kind: claimed ? 'claimed' : 'handed-over',
      partition,
      owner: record.owner,
      name: record.name,
      from: record.from,
      fromSession: before,
      epoch: revision,
      gapMs: claimed && endedAt !== undefined ? Math.max(0, at - endedAt) : null,
    });
  }

  #stretch(partition: number, at: number, owner: string | null): void {
    const strip = this.strips.get(partition) ?? [];
    if (strip.length > 0 && strip.at(-1)?.owner === owner) return;
    this.strips.set(partition, [...strip, { at, owner }]);
  }

  /** The first letter that nobody living or remembered has. */
  #giveLetter(id: string): void {
    if (this.letters.has(id)) return;
    const taken = new Set(this.letters.values());
    let letter = 0;
    while (taken.has(letter)) letter++;
    this.letters.set(id, letter);
  }

  /** The model with these changes; what is older than it is worth keeping is dropped. */
  finish(model: Model, now: number): Model {
    for (const [partition, strip] of this.strips) {
      const keep = strip.findIndex((_, i) => (strip[i + 1]?.at ?? now) > now - KEEP_MS);
      if (keep > 0) this.strips.set(partition, strip.slice(keep));
    }
    for (const [id, { at }] of this.ended) {
      const named = [...this.leases.values()].some(
        ({ record }) => record && record !== 'unreadable' && record.owner === id,
      );
      if (named || at > now - KEEP_MS) continue;
      this.ended.delete(id);
      this.letters.delete(id);
    }
    const { members, leases, overrides, ended, letters, strips } = this;
    return {
      ...model,
      members,
      leases,
      overrides,
      ended,
      letters,
      strips,
      handled: this.handled,
      revision: this.#newest,
      updates: this.updates.slice(-MAX_UPDATES),
    };
  }
}

/** The past, oldest first. */
export function applyHistory(model: Model, entries: readonly PastEntry[]): Model {
  const draft = new Draft(model);
  for (const { entry, atMs } of entries) draft.apply(entry, Math.min(atMs, model.now), false);
  return draft.finish(model, model.now);
}

/** The newest proofs of life, as they are now. */
export function applyProofs(model: Model, proofs: readonly PastEntry[]): Model {
  const draft = new Draft(model);
  for (const { entry, atMs } of proofs)
    if (entry.kind === 'proof') draft.proof(entry, Math.min(atMs, model.now), model.now);
  return { ...model, members: draft.members };
}

/** Changes as they come; whatever is older than what is known is passed over. */
export function applyChanges(model: Model, entries: readonly ViewEntry[]): Model {
  const draft = new Draft(model);
  for (const entry of entries) draft.apply(entry, model.now, false);
  return draft.finish(model, model.now);
}

/** All of the group as it is now. What changed since the last look is told; a first look tells nothing. */
export function applySnapshot(model: Model, entries: readonly ViewEntry[]): Model {
  const draft = new Draft(model);
  const known = model.ready || model.leases.size > 0 || model.members.size > 0;
  const newest = entries.reduce((max, { revision }) => Math.max(max, revision), 0);
  const present = new Set(
    entries.map((entry) => (entry.kind === 'session' ? entry.id : `${entry.kind} ${entry.partition}`)),
  );
  for (const member of model.members.values()) {
    if (!present.has(member.id) && member.revision <= newest) draft.end(member, model.now, newest, false);
  }
  for (const [partition, { revision }] of model.leases) {
    if (!present.has(`lease ${partition}`) && revision <= newest) draft.leases.delete(partition);
  }
  for (const [partition, { revision }] of model.overrides) {
    if (!present.has(`override ${partition}`) && revision <= newest) draft.overrides.delete(partition);
  }
  for (const entry of [...entries].sort((a, b) => a.revision - b.revision)) {
    draft.apply(entry, model.now, !known);
  }
  const next = { ...draft.finish(model, model.now), ready: true };
  return model.ready ? next : { ...next, letters: firstLetters(next) };
}

/** The letters of a first look: by name, so that everybody who looks sees the same. */
function firstLetters({ members, letters }: Model): Map<string, number> {
  const name = (id: string): string => members.get(id)?.record?.name ?? '';
  const living = (id: string): number => (members.has(id) ? 0 : 1);
  const ids = [...letters.keys()].sort(
    (a, b) => living(a) - living(b) || compareNames(name(a), name(b)) || (a < b ? -1 : 1),
  );
  return new Map(ids.map((id, letter) => [id, letter]));
}
