import type { Bucket, Watch } from '../../core/ports/index.js';
import type { BucketEntry } from '../../core/protocol/entries.js';
import { decodeEntries } from '../../core/protocol/entries.js';
import { keys, type LeaseRecord } from '../../core/protocol/records.js';

/** Who owns a partition, as the bucket says. */
export interface Owner {
  name: string;
  session: string;
  epoch: number;
}

/** One change of hands. */
export interface OwnershipChange {
  partition: number;
  epoch: number;
  to: string | null;
  from: string | null;
  reason: LeaseRecord['reason'];
  /** When it was seen, monotonic milliseconds. */
  at: number;
}

/** Follows who owns what in a group, from the bucket alone. */
export class Ownership {
  readonly #group: string;
  readonly #watch: Watch;
  readonly #onChange: (change: OwnershipChange) => void;
  readonly #leases = new Map<number, Owner>();
  readonly #sessions = new Map<string, string>();
  /** The newest epoch seen of each partition: a watch that starts again tells all of it once more. */
  readonly #newest = new Map<number, number>();
  #waiting: { holds: () => boolean; resolve: () => void }[] = [];

  constructor(bucket: Pick<Bucket, 'watch'>, group: string, onChange: (change: OwnershipChange) => void) {
    this.#group = group;
    this.#onChange = onChange;
    this.#watch = bucket.watch(keys.groupPrefix(group), {
      snapshot: (entries) => this.#apply(entries),
      changes: (entries) => this.#apply(entries),
      failed: () => {},
    });
  }

  stop(): void {
    this.#watch.stop();
  }

  /** Names of the members that are alive. */
  get members(): string[] {
    return [...this.#sessions.values()].sort();
  }

  /** The owner of each owned partition. */
  get owners(): ReadonlyMap<number, Owner> {
    return new Map(this.#leases);
  }

  /**
   * Resolves with true when exactly these members share all partitions evenly, with false after `withinMs` or when
   * `signal` aborts.
   */
  async balanced(
    members: readonly string[],
    partitions: number,
    withinMs: number,
    signal?: AbortSignal,
  ): Promise<boolean> {
    const holds = (): boolean => this.isBalanced(members, partitions);
    if (holds()) return true;
    if (signal?.aborted) return false;
    return new Promise((resolve) => {
      // No AbortSignal.timeout: Node 20 collects one that only a combined signal refers to, which then never aborts
      // (https://github.com/nodejs/node/pull/57867).
      const timer = setTimeout(() => end(false), withinMs);
      const giveUp = (): void => end(false);
      const end = (isBalanced: boolean): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', giveUp);
        resolve(isBalanced);
      };
      signal?.addEventListener('abort', giveUp);
      this.#waiting.push({ holds, resolve: () => end(true) });
    });
  }

  /** Whether exactly these members share all partitions evenly. */
  isBalanced(members: readonly string[], partitions: number): boolean {
    if (this.members.join() !== [...members].sort().join()) return false;
    const loads = new Map(members.map((name) => [name, 0]));
    for (const owner of this.#leases.values()) {
      if (!this.#sessions.has(owner.session)) return false;
      loads.set(owner.name, (loads.get(owner.name) ?? 0) + 1);
    }
    const counts = [...loads.values()];
    return this.#leases.size === partitions && Math.max(...counts) - Math.min(...counts) <= 1;
  }

  #apply(entries: readonly BucketEntry[]): void {
    const at = performance.now();
    for (const entry of decodeEntries(this.#group, entries, () => {})) {
      if (entry.record === 'unreadable' || entry.kind === 'override') continue;
      if (entry.kind === 'session') {
        if (entry.record) this.#sessions.set(entry.id, entry.record.name);
        else this.#sessions.delete(entry.id);
        continue;
      }
      const { partition, revision: epoch, record } = entry;
      if (epoch <= (this.#newest.get(partition) ?? 0)) continue;
      this.#newest.set(partition, epoch);
      if (record?.owner) this.#leases.set(partition, { name: record.name, session: record.owner, epoch });
      else this.#leases.delete(partition);
      if (record) {
        const { from, reason } = record;
        this.#onChange({ partition, epoch, to: record.owner ? record.name : null, from, reason, at });
      }
    }
    const ready = this.#waiting.filter(({ holds }) => holds());
    this.#waiting = this.#waiting.filter((waiting) => !ready.includes(waiting));
    for (const { resolve } of ready) resolve();
  }
}
