import type { Judge } from './judge.js';
import type { LeaseNow } from './ledger.js';

/** A lease that an owner has got. */
interface Grant {
  member: string | undefined;
  session: string | null;
  /** The epoch of the owner that handed the partition over; undefined if the partition was claimed. */
  from: number | undefined;
  /** The newest revision of this lease that the owner's watch had shown before. */
  seen: number;
}

/** Slow clocks make a ttl longer by this factor. */
const SLOW = 1.1;

/**
 * Entries that were removed from the bucket, and the violations that their removal excuses (SPEC.md, "A bucket that returns"). A member
 * whose entry was removed continues until it notices the loss. Members that knew the entry wait until then. A member that joined after the
 * loss, or whose watch had not shown the entry before, does not wait.
 */
export class Losses {
  readonly #judge: Judge;
  readonly #excuseMs: number;
  readonly #sessions = new Map<string, number>();
  /** When leases were removed, by epoch. */
  readonly #leases = new Map<number, number>();
  /** The owner of each lease, by epoch. */
  readonly #owners = new Map<number, Grant>();
  #ownersBefore: ReadonlyMap<number, { session: string | null }> = new Map();
  readonly #seesSince = new Map<string, number>();

  constructor(judge: Judge, ttlMs: number) {
    this.#judge = judge;
    this.#excuseMs = ttlMs * SLOW;
  }

  sees(member: string): void {
    if (!this.#seesSince.has(member)) this.#seesSince.set(member, this.#judge.now);
  }

  /** Records the owner of an epoch. */
  granted(epoch: number, grant: Grant): void {
    this.#owners.set(epoch, grant);
  }

  session(id: string): void {
    this.#sessions.set(id, this.#judge.now);
  }

  /** Records that the bucket was restored from an older copy. Entries may be missing, or exist again. */
  everything(sessions: Iterable<string>): void {
    for (const id of sessions) this.session(id);
    this.#ownersBefore = new Map(this.#owners);
  }

  lease({ revision }: LeaseNow): void {
    this.#leases.set(revision, this.#judge.now);
  }

  /** True if the session was lost so recently that its member may not have noticed it yet. */
  hasLostSession(id: string): boolean {
    return this.#judge.now - (this.#sessions.get(id) ?? Number.NEGATIVE_INFINITY) < this.#excuseMs;
  }

  /** True if the session was ever lost. It may exist again. Members that saw its deletion marker before may not know that. */
  hasEverLost(session: string): boolean {
    return this.#sessions.has(session);
  }

  /** True if an ended epoch may continue, because its owner need not know that it has ended. */
  isExcused(epoch: number, now: LeaseNow): boolean {
    const lostAt = this.#lostAt(epoch);
    if (lostAt === undefined) return false;
    // Three cases are excused: there is no newer lease, the same owner has it, or the new owner cannot know of the lost lease.
    const isOwners = now.owner !== null && now.owner === this.#owners.get(epoch)?.session;
    return now.revision <= epoch || isOwners || this.#isUnaware(now.revision, epoch, lostAt);
  }

  /** True if two calls overlap because the newer owner cannot know that the older one's lease was lost. */
  isNewcomers(a: { epoch: number }, b: { epoch: number }): boolean {
    const [older, newer] = a.epoch < b.epoch ? [a, b] : [b, a];
    const lostAt = this.#lostAt(older.epoch);
    return lostAt !== undefined && this.#isUnaware(newer.epoch, older.epoch, lostAt);
  }

  /**
   * True if an epoch's owner cannot know of the lease `lost`, which was lost at `at`. It joined later, its watch had not shown that lease,
   * or its own lease came from such a member.
   */
  #isUnaware(epoch: number, lost: number, at: number): boolean {
    const { member, from, seen } = this.#owners.get(epoch) ?? {};
    if (member !== undefined && (this.#seesSince.get(member) ?? Number.POSITIVE_INFINITY) >= at) return true;
    if (seen !== undefined && seen < lost && this.#leases.has(lost)) return true;
    return from !== undefined && this.#isUnaware(from, lost, at);
  }

  /** The time at which the lease of this epoch, or its owner's session, was lost; undefined if the loss is no excuse any more. */
  #lostAt(epoch: number): number | undefined {
    const leaseLostAt = this.#leases.get(epoch);
    if (leaseLostAt !== undefined) return leaseLostAt;
    for (const owners of [this.#owners, this.#ownersBefore]) {
      const session = owners.get(epoch)?.session;
      if (session && this.hasLostSession(session)) return this.#sessions.get(session);
    }
    return undefined;
  }
}
