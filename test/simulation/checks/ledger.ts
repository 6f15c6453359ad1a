import { decodeLease, decodePosition, keys, parseGroupKey } from '../../../src/core/group/records.js';
import type { BucketEntry } from '../../../src/core/ports.js';
import type { EventLog } from '../model/log.js';
import type { Judge } from './judge.js';

/** A lease as it stands at the leader. */
export interface LeaseNow {
  revision: number;
  owner: string | null;
}

/** A position as it stands at the leader. */
export interface PositionNow {
  sequence: number;
  epoch: number;
}

const NO_LEASE: LeaseNow = { revision: 0, owner: null };
const NO_POSITION: PositionNow = { sequence: 0, epoch: 0 };

/** Follows the bucket at its leader, and judges each position that is written: I1, I2, I8. */
export class Ledger {
  readonly leases = new Map<number, LeaseNow>();
  readonly positions = new Map<number, PositionNow>();
  /** Ids of the sessions that exist. */
  readonly sessions = new Set<string>();
  /** The proofs of life that exist, by id, and when each was renewed last. */
  readonly proofs = new Map<string, number>();
  /** How many leases were written. */
  leaseWrites = 0;
  readonly #judge: Judge;
  readonly #log: EventLog;
  readonly #group: string;
  readonly #mayRepeat: (sequence: number) => boolean;
  /** Who was given a partition, by the lease's revision. */
  readonly #granted = new Map<number, { partition: number; owner: string | null }>();
  /** Which member an id belongs to. */
  readonly #members = new Map<string, string>();
  /** The newest epoch under which a handler was called. */
  readonly #handledUnder = new Map<number, number>();

  /** `mayRepeat`: its owner is excused where it does not know that this message was handled. */
  constructor(judge: Judge, log: EventLog, group: string, mayRepeat: (sequence: number) => boolean) {
    this.#mayRepeat = mayRepeat;
    this.#judge = judge;
    this.#log = log;
    this.#group = group;
  }

  lease(partition: number): LeaseNow {
    return this.leases.get(partition) ?? NO_LEASE;
  }

  position(partition: number): PositionNow {
    return this.positions.get(partition) ?? NO_POSITION;
  }

  /** Whether this epoch is the newest one, and its owner's session exists. */
  isValid(partition: number, epoch: number): boolean {
    const { revision, owner } = this.lease(partition);
    return revision === epoch && owner !== null && this.sessions.has(owner);
  }

  identified(id: string, member: string): void {
    this.#members.set(id, member);
  }

  memberOf(id: string | null): string | undefined {
    return id === null ? undefined : this.#members.get(id);
  }

  handlerStarted(partition: number, epoch: number): void {
    this.#handledUnder.set(partition, Math.max(epoch, this.#handledUnder.get(partition) ?? 0));
  }

  /** A member is about to send a write: one that moves a position forward needs a lease that is valid now. */
  sending(member: string, key: string, value: Uint8Array): void {
    if (!key.startsWith('position.')) return;
    const partition = Number(key.slice(key.lastIndexOf('.') + 1));
    const position = decodePosition(value);
    if (!position || position.seq <= this.position(partition).sequence) return;
    if (!this.isValid(partition, position.epoch)) {
      this.#judge.violate(
        'I1',
        `${member} sends a commit of p${partition} at epoch ${position.epoch}, but its lease is over`,
      );
    }
  }

  /** A write was applied. */
  applied(entry: BucketEntry, writer: string): void {
    const { key, revision, value } = entry;
    if (key.startsWith('position.')) {
      this.#position(Number(key.slice(key.lastIndexOf('.') + 1)), entry, writer);
      return;
    }
    const proofPrefix = keys.proofPrefix(this.#group);
    if (key.startsWith(proofPrefix)) {
      const id = key.slice(proofPrefix.length);
      if (value) this.proofs.set(id, this.#judge.now);
      else this.proofs.delete(id);
      if (!value && this.#judge.isTracing) this.#judge.note(`${writer} ends the proof of life of ${id}`);
      return;
    }
    const parsed = parseGroupKey(this.#group, key);
    if (parsed.kind === 'session') {
      if (value) this.sessions.add(parsed.id);
      else this.sessions.delete(parsed.id);
      if (!value && this.#judge.isTracing) this.#judge.note(`${writer} deletes session ${parsed.id}`);
    } else if (parsed.kind === 'lease') {
      const record = value ? decodeLease(value) : undefined;
      const owner = record?.owner ?? null;
      const { partition } = parsed;
      if (record && record.reason !== 'claim') this.#givenAway(partition, writer);
      this.leases.set(partition, { revision, owner });
      this.#granted.set(revision, { partition, owner });
      this.leaseWrites++;
      if (this.#judge.isTracing)
        this.#judge.note(
          `${writer} gives p${partition} to ${this.memberOf(owner)} (${owner}) at ${revision}`,
        );
    }
  }

  /** I3: an owner that gives its partition away has committed everything that it handled. */
  #givenAway(partition: number, writer: string): void {
    const { sequence } = this.position(partition);
    const next = this.#log.firstAfter(partition, sequence);
    const epoch = this.lease(partition).revision;
    if (!next?.done || next.handledUnder !== epoch || this.#mayRepeat(next.sequence)) return;
    this.#judge.violate(
      'I3',
      `${writer} gives p${partition} away at epoch ${epoch} with position ${sequence}, but it had handled ${next.sequence}`,
    );
  }

  #position(partition: number, { value }: BucketEntry, writer: string): void {
    const written = value && decodePosition(value);
    if (!written) return;
    const before = this.position(partition);
    const { seq, epoch } = written;
    const what = `${writer} sets p${partition} to ${seq} at epoch ${epoch}`;
    if (this.#judge.isTracing) this.#judge.note(what);
    const grant = this.#granted.get(epoch);
    if (grant?.partition !== partition || this.memberOf(grant.owner) !== writer) {
      this.#judge.violate('I1', `${what}, an epoch that was never its own`);
    }
    const newest = Math.max(before.epoch, this.#handledUnder.get(partition) ?? 0);
    if (epoch < newest) this.#judge.violate('I1', `${what}, but epoch ${newest} has begun`);
    if (seq < before.sequence) this.#judge.violate('I8', `${what}, back from ${before.sequence}`);
    for (let next = this.#log.firstAfter(partition, before.sequence); next && next.sequence <= seq; ) {
      if (!next.done) {
        this.#judge.violate('I2', `${what}, but message ${next.sequence} was not handled`);
        break;
      }
      next = this.#log.of(partition)[next.index + 1];
    }
    this.positions.set(partition, { sequence: seq, epoch });
  }
}
