import type { Judge } from './judge.js';
import type { LeaseNow } from './ledger.js';

/** Clocks that run slow make a ttl this much longer. */
const SLOW = 1.1;

/**
 * What was taken out of the bucket, and what that excuses (SPEC.md, "A bucket that goes back"). A member goes on until it notices. Others who
 * knew of it wait for that; somebody who came only afterwards cannot.
 */
export class Losses {
  readonly #judge: Judge;
  readonly #excuseMs: number;
  readonly #sessions = new Map<string, number>();
  /** Leases, by partition: which epoch, and when. */
  readonly #leases = new Map<number, { epoch: number; at: number }>();
  /** Who got a lease, by its epoch. */
  readonly #owners = new Map<number, { member: string | undefined; session: string | null }>();
  /** The same as it was when the bucket went back. */
  #ownersBefore: ReadonlyMap<number, { session: string | null }> = new Map();
  /** When each member got its first snapshot. */
  readonly #seesSince = new Map<string, number>();

  constructor(judge: Judge, ttlMs: number) {
    this.#judge = judge;
    this.#excuseMs = ttlMs * SLOW;
  }

  /** A member has got a snapshot. */
  sees(member: string): void {
    if (!this.#seesSince.has(member)) this.#seesSince.set(member, this.#judge.now);
  }

  granted(epoch: number, member: string | undefined, session: string | null): void {
    this.#owners.set(epoch, { member, session });
  }

  session(id: string): void {
    this.#sessions.set(id, this.#judge.now);
  }

  /** The bucket went back: what was there may be gone, or come again. */
  everything(sessions: Iterable<string>): void {
    for (const id of sessions) this.session(id);
    this.#ownersBefore = new Map(this.#owners);
  }

  lease(partition: number, { revision }: LeaseNow): void {
    this.#leases.set(partition, { epoch: revision, at: this.#judge.now });
  }

  /** Its member may not have noticed. */
  hasLostSession(id: string): boolean {
    return this.#judge.now - (this.#sessions.get(id) ?? Number.NEGATIVE_INFINITY) < this.#excuseMs;
  }

  /** Who was told of its end by a mark that went back with the bucket may not know that it is there again. */
  hasEverLost(session: string): boolean {
    return this.#sessions.has(session);
  }

  /** Whether something may go on under an epoch that is over, because its owner need not know that yet. */
  isExcused(partition: number, epoch: number, now: LeaseNow): boolean {
    const lostAt = this.#lostAt(partition, epoch);
    if (lostAt === undefined) return false;
    // Nobody has it since; or its owner, because who gave it away has written it again; or somebody who cannot know.
    const isOwners = now.owner !== null && now.owner === this.#owners.get(epoch)?.session;
    return now.revision <= epoch || isOwners || this.#cameAfter(now.revision, lostAt);
  }

  /** Whether two calls overlap because one of their owners came after the loss. */
  isNewcomers(a: { partition: number; epoch: number }, b: { epoch: number }): boolean {
    const [older, newer] = a.epoch < b.epoch ? [a, b] : [b, a];
    const lostAt = this.#lostAt(a.partition, older.epoch);
    return lostAt !== undefined && this.#cameAfter(newer.epoch, lostAt);
  }

  #cameAfter(epoch: number, at: number): boolean {
    const { member } = this.#owners.get(epoch) ?? {};
    return member !== undefined && (this.#seesSince.get(member) ?? Number.POSITIVE_INFINITY) >= at;
  }

  /** When the lease of this epoch was lost, or the session of its owner, where that excuses anything still. */
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
