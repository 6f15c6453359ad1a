import { GroupFollower } from '../../core/admin/follower.js';
import type { Bucket } from '../../core/ports/index.js';
import { keys } from '../../core/protocol/keys.js';
import type { LeaseRecord } from '../../core/protocol/records.js';

/** The owner of a partition. */
export interface Owner {
  name: string;
  session: string;
  epoch: number;
}

/** A change of owner. */
export interface OwnershipChange {
  partition: number;
  epoch: number;
  to: string | null;
  from: string | null;
  reason: LeaseRecord['reason'];
  /** When the change was seen, in monotonic milliseconds. */
  at: number;
}

/** Follows the owners of a group's partitions in the bucket. */
export class Ownership {
  readonly #follower: GroupFollower;

  constructor(bucket: Pick<Bucket, 'watch'>, group: string, onChange: (change: OwnershipChange) => void) {
    const source = {
      watch: (sink: Parameters<Bucket['watch']>[1]) => bucket.watch(keys.groupPrefix(group), sink),
    };
    this.#follower = new GroupFollower(source, group, (change) => {
      if (change.kind !== 'lease') return;
      const { revision: epoch, record } = change.after;
      if (record === null || record === 'unreadable') return;
      const { from, reason } = record;
      const to = record.owner === null ? null : record.name;
      onChange({ partition: change.partition, epoch, to, from, reason, at: performance.now() });
    });
  }

  stop(): void {
    this.#follower.stop();
  }

  get members(): string[] {
    return [...this.#follower.sessions.values()].flatMap(({ record }) => record?.name ?? []).sort();
  }

  /** The owner of each owned partition. */
  get owners(): ReadonlyMap<number, Owner> {
    const owners = new Map<number, Owner>();
    for (const partition of this.#follower.leases.keys()) {
      const record = this.#follower.leaseOf(partition);
      const epoch = this.#follower.epochOf(partition);
      if (record?.owner) owners.set(partition, { name: record.name, session: record.owner, epoch });
    }
    return owners;
  }

  /**
   * Resolves with true when exactly these members share all partitions evenly. Resolves with false after `withinMs`, or when `signal`
   * aborts.
   *
   * @throws NatspocError if the watch of the group fails.
   */
  balanced(
    members: readonly string[],
    partitions: number,
    withinMs: number,
    signal?: AbortSignal,
  ): Promise<boolean> {
    return this.#follower.until(() => this.isBalanced(members, partitions), withinMs, signal);
  }

  /** True if exactly these members share all partitions evenly. `partitions` is used only while the group has no layout of its own. */
  isBalanced(members: readonly string[], partitions: number): boolean {
    const { layout } = this.#follower;
    const record = layout?.record === 'unreadable' ? undefined : layout?.record;
    if (record?.next) return false;
    if (this.members.join() !== [...members].sort().join()) return false;
    const loads = new Map(members.map((name) => [name, 0]));
    const { owners } = this;
    for (const { session, name } of owners.values()) {
      if (!this.#follower.sessions.has(session)) return false;
      loads.set(name, (loads.get(name) ?? 0) + 1);
    }
    const counts = [...loads.values()];
    return (
      owners.size === (record?.partitions ?? partitions) && Math.max(...counts) - Math.min(...counts) <= 1
    );
  }
}
