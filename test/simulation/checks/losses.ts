import type { Judge } from './judge.js';
import type { LeaseNow } from './ledger.js';

/** Slow clocks make a ttl longer by this factor. */
const SLOW = 1.1;

/**
 * Entries that were removed from the bucket, and what that excuses (SPEC.md, "A bucket that goes back"). A member whose entry
 * was removed continues until it notices the loss. Members that knew the entry wait until then; a member that joined after the
 * loss never saw the entry, so it cannot wait.
 */
export class Losses {
  readonly #judge: Judge;
  readonly #excuseMs: number;
  readonly #sessions = new Map<string, number>();
  /** Removed leases by partition: epoch and time. */
  readonly #leases = new Map<number, { epoch: number; at: number }>();
  /** The owner of each lease, by its epoch; `from`: the epoch of the owner that handed it over. */
  readonly #owners = new Map<
    number,
    { member: string | undefined; session: string | null; from: number | undefined }
  >();
  /** The same at the time when the bucket went back. */
  #ownersBefore: ReadonlyMap<number, { session: string | null }> = new Map();
  /** The time of each member's first snapshot. */
  readonly #seesSince = new Map<string, number>();

  constructor(judge: Judge, ttlMs: number) {
    this.#judge = judge;
    this.#excuseMs = ttlMs * SLOW;
  }

  /** A member received a snapshot. */
  sees(member: string): void {
    if (!this.#seesSince.has(member)) this.#seesSince.set(member, this.#judge.now);
  }

  /** `from`: the epoch under which it was handed over; undefined: it was claimed. */
  granted(
    epoch: number,
    {
      member,
      session,
      from,
    }: { member: string | undefined; session: string | null; from?: number | undefined },
  ): void {
    this.#owners.set(epoch, { member, session, from });
  }

  session(id: string): void {
    this.#sessions.set(id, this.#judge.now);
  }

  /** The bucket went back: entries may be gone, or have returned. */
  everything(sessions: Iterable<string>): void {
    for (const id of sessions) this.session(id);
    this.#ownersBefore = new Map(this.#owners);
  }

  lease(partition: number, { revision }: LeaseNow): void {
    this.#leases.set(partition, { epoch: revision, at: this.#judge.now });
  }

  /** True if the session was lost so recently that its member may not have noticed yet. */
  hasLostSession(id: string): boolean {
    return this.#judge.now - (this.#sessions.get(id) ?? Number.NEGATIVE_INFINITY) < this.#excuseMs;
  }

  /** A member that saw its deletion marker, which went back with the bucket, may not know that it exists again. */
  hasEverLost(session: string): boolean {
    return this.#sessions.has(session);
  }

  /** True if an ended epoch may continue, because its owner need not know its end yet. */
  isExcused(partition: number, epoch: number, now: LeaseNow): boolean {
    const lostAt = this.#lostAt(partition, epoch);
    if (lostAt === undefined) return false;
    // The partition has had no owner since; or the same owner, because the previous one wrote the lease
    // again; or one that cannot know.
    const isOwners = now.owner !== null && now.owner === this.#owners.get(epoch)?.session;
    return now.revision <= epoch || isOwners || this.#cameAfter(now.revision, lostAt);
  }

  /** True if two calls overlap because one of their owners joined after the loss. */
  isNewcomers(a: { partition: number; epoch: number }, b: { epoch: number }): boolean {
    const [older, newer] = a.epoch < b.epoch ? [a, b] : [b, a];
    const lostAt = this.#lostAt(a.partition, older.epoch);
    return lostAt !== undefined && this.#cameAfter(newer.epoch, lostAt);
  }

  /** The epoch's owner joined after that time, or got the lease from one that did: what such a newcomer claims is handled anyway. */
  #cameAfter(epoch: number, at: number): boolean {
    const { member, from } = this.#owners.get(epoch) ?? {};
    if (member !== undefined && (this.#seesSince.get(member) ?? Number.POSITIVE_INFINITY) >= at) return true;
    return from !== undefined && this.#cameAfter(from, at);
  }

  /** When the lease of this epoch, or its owner's session, was lost, if that is still an excuse. */
  #lostAt(partition: number, epoch: number): number | undefined {
    const lease = this.#leases.get(partition);
    if (lease?.epoch === epoch) return lease.at;
    for (const owners of [this.#owners, this.#ownersBefore]) {
      const session = owners.get(epoch)?.session;
      if (session && this.hasLostSession(session)) return this.#sessions.get(session);
    }
    return undefined;
  }
}
