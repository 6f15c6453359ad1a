import type { NatspocError } from '../lib/errors.js';
import type { Watch, WatchSink } from '../ports/index.js';
import type { BucketEntry } from '../protocol/entries.js';
import { decodeEntries } from '../protocol/entries.js';
import type { ViewEntry } from '../protocol/events.js';
import type { LeaseRecord, OverrideRecord, SessionRecord } from '../protocol/records.js';

/** A lease as stored in the bucket; its revision is the epoch. */
export interface SeenLease {
  epoch: number;
  record: LeaseRecord | 'unreadable' | null;
}

/** A session as stored in the bucket. */
export interface SeenSession {
  id: string;
  revision: number;
  record: SessionRecord;
}

/** One change; `before` is the previous state. The first snapshot reports no changes. */
export type GroupChange =
  | { kind: 'lease'; partition: number; before: SeenLease | undefined; after: SeenLease }
  | { kind: 'joined'; session: SeenSession }
  | { kind: 'leaving'; session: SeenSession }
  | { kind: 'gone'; session: SeenSession };

/** What a follower needs: a watch of the group's sessions and leases. */
export interface GroupSource {
  watch(sink: WatchSink): Watch;
}

/** Follows the sessions and leases of a group from outside. */
export class GroupFollower {
  readonly leases = new Map<number, SeenLease>();
  readonly sessions = new Map<string, SeenSession>();
  /** The overrides (pins and pauses) of partitions. */
  readonly overrides = new Map<number, OverrideRecord>();
  readonly #group: string;
  readonly #watch: Watch;
  readonly #onChange: (change: GroupChange) => void;
  #isReady = false;
  #failure: NatspocError | undefined;
  readonly #waiting = new Set<() => void>();

  constructor(source: GroupSource, group: string, onChange: (change: GroupChange) => void = () => {}) {
    this.#group = group;
    this.#onChange = onChange;
    this.#watch = source.watch({
      snapshot: (entries) => this.#replace(entries),
      changes: (entries) => this.#apply(entries),
      failed: (error) => {
        this.#failure = error;
        this.#wake();
      },
    });
  }

  stop(): void {
    this.#watch.stop();
  }

  /** Live members of this name or session id. */
  named(nameOrId: string): SeenSession[] {
    return [...this.sessions.values()].filter(
      ({ id, record }) => id === nameOrId || record.name === nameOrId,
    );
  }

  /** The live member to which a partition is pinned, if any; if several have the name, the first by id. */
  pinnedTo(partition: number): SeenSession | undefined {
    const { pin } = this.overrides.get(partition) ?? {};
    return pin ? this.named(pin).sort((a, b) => (a.id < b.id ? -1 : 1))[0] : undefined;
  }

  /** Why a lease is unreadable, if it is; no member touches such a lease. */
  isUnreadable(partition: number): boolean {
    return this.leases.get(partition)?.record === 'unreadable';
  }

  /** Id of the owner of a partition, or null. */
  ownerOf(partition: number): string | null {
    const record = this.leases.get(partition)?.record;
    return record && record !== 'unreadable' ? record.owner : null;
  }

  /**
   * Resolves with true when the condition holds, with false after `withinMs` or when `signal` aborts.
   *
   * @throws NatspocError if the group cannot be watched any more.
   */
  async until(condition: () => boolean, withinMs: number, signal?: AbortSignal): Promise<boolean> {
    const deadline = performance.now() + withinMs;
    for (;;) {
      if (this.#failure) throw this.#failure;
      if (this.#isReady && condition()) return true;
      const leftMs = deadline - performance.now();
      if (leftMs <= 0 || signal?.aborted) return false;
      await this.#change(leftMs, signal);
    }
  }

  /** Resolves at the next change, after `withinMs`, or when `signal` aborts. */
  #change(withinMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', wake);
        this.#waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, Math.min(withinMs, 2 ** 31 - 1));
      signal?.addEventListener('abort', wake, { once: true });
      this.#waiting.add(wake);
    });
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  /** A snapshot is complete: entries that it lacks are gone. */
  #replace(entries: readonly BucketEntry[]): void {
    const decoded = decodeEntries(this.#group, entries, () => {});
    const named = new Set(decoded.flatMap((entry) => (entry.kind === 'session' ? [entry.id] : [])));
    for (const id of [...this.sessions.keys()]) if (!named.has(id)) this.#applySession(id, 0, null);
    this.#applyAll(decoded);
    this.#isReady = true;
    this.#wake();
  }

  #apply(entries: readonly BucketEntry[]): void {
    this.#applyAll(decodeEntries(this.#group, entries, () => {}));
    this.#wake();
  }

  #applyAll(entries: readonly ViewEntry[]): void {
    for (const entry of entries) {
      if (entry.kind === 'lease') this.#applyLease(entry.partition, entry.revision, entry.record);
      else if (entry.record === 'unreadable') continue;
      else if (entry.kind === 'session') this.#applySession(entry.id, entry.revision, entry.record);
      else if (entry.record) this.overrides.set(entry.partition, entry.record);
      else this.overrides.delete(entry.partition);
    }
  }

  #applyLease(partition: number, epoch: number, record: SeenLease['record']): void {
    const before = this.leases.get(partition);
    if (before && before.epoch >= epoch) return;
    const after = { epoch, record };
    this.leases.set(partition, after);
    this.#tell({ kind: 'lease', partition, before, after });
  }

  #applySession(id: string, revision: number, record: SessionRecord | null): void {
    const before = this.sessions.get(id);
    if (record === null) {
      if (!before || (revision > 0 && revision <= before.revision)) return;
      this.sessions.delete(id);
      this.#tell({ kind: 'gone', session: before });
      return;
    }
    if (before && before.revision >= revision) return;
    const session = { id, revision, record };
    this.sessions.set(id, session);
    if (!before) this.#tell({ kind: 'joined', session });
    else if (record.leaving && !before.record.leaving) this.#tell({ kind: 'leaving', session });
  }

  #tell(change: GroupChange): void {
    if (this.#isReady) this.#onChange(change);
  }
}
