import type { BucketEntry } from '../../../src/core/protocol/entries.js';
import { keys, parseGroupKey } from '../../../src/core/protocol/keys.js';
import type { GroupLayoutRecord } from '../../../src/core/protocol/layout-records.js';
import { startsAt } from '../../../src/core/protocol/partition-start.js';
import { decodePosition, type PositionRecord } from '../../../src/core/protocol/position-records.js';
import { decodeLease } from '../../../src/core/protocol/records.js';
import type { EventLog } from '../model/log.js';
import { Damage, OPERATOR } from './damage.js';
import type { Judge } from './judge.js';
import { Losses } from './losses.js';

/** The current lease in the leader's bucket. */
export interface LeaseNow {
  revision: number;
  owner: string | null;
}

/** The current position in the leader's bucket. */
export interface PositionNow {
  sequence: number;
  epoch: number;
  /** The deaths of owners that the position counts. Absent if it counts none. */
  crashes?: number;
}

const NO_LEASE: LeaseNow = { revision: 0, owner: null };
const NO_POSITION: PositionNow = { sequence: 0, epoch: 0 };

/** Follows the bucket at its leader, and judges each position that is written: I1, I2, I8. */
export class Ledger {
  readonly leases = new Map<number, LeaseNow>();
  readonly positions = new Map<number, PositionNow>();
  readonly sessions = new Set<string>();
  /** The last renewal of each existing proof of life, by id. */
  readonly proofs = new Map<string, number>();
  /** How often the group was resized. */
  layout = 0;
  leaseWrites = 0;
  readonly #judge: Judge;
  readonly #log: EventLog;
  readonly #group: string;
  readonly #seenBy: (member: string, key: string) => number;
  readonly #mayRepeat: (sequence: number) => boolean;
  readonly losses: Losses;
  /** By partition, the epoch whose deliveries were in doubt. */
  readonly #mistrusted = new Map<number, number>();
  readonly #lostPositions = new Map<number, PositionNow>();
  /**
   * The writer of each partition's last commit, and the position before it. The writer knows at least this position: it sends a commit only
   * after the answer to its previous one.
   */
  readonly #committers = new Map<number, { writer: string; known: number }>();
  /** The positions just before the bucket was last restored from an older copy. */
  readonly #positionsBefore = new Map<number, PositionNow>();
  readonly #replaced = new Map<number, ReadonlyMap<number, PositionNow>>();
  readonly #highest = new Map<number, number>();
  readonly #damage = new Damage();
  /** The owner of each lease, by its revision. */
  readonly #granted = new Map<number, { partition: number; owner: string | null }>();
  readonly #members = new Map<string, string>();
  readonly #under = new Map<string, PositionNow>();
  /** Epochs whose owners have handed their partitions over. */
  readonly #givenOn = new Set<number>();
  /** The newest epoch of a handler call. */
  readonly #handledUnder = new Map<number, number>();

  /**
   * @param mayRepeat returns true if an owner is excused, because it does not know that the message was handled.
   * @param seenBy the newest revision of a key that a member's watch has shown; 0 if it has shown none.
   */
  constructor(
    judge: Judge,
    log: EventLog,
    { group, ttlMs }: { group: string; ttlMs: number },
    mayRepeat: (sequence: number) => boolean,
    seenBy: (member: string, key: string) => number,
  ) {
    this.#mayRepeat = mayRepeat;
    this.#seenBy = seenBy;
    this.#judge = judge;
    this.#log = log;
    this.#group = group;
    this.losses = new Losses(judge, ttlMs);
  }

  lease(partition: number): LeaseNow {
    return this.leases.get(partition) ?? NO_LEASE;
  }

  position(partition: number): PositionNow {
    return this.positions.get(partition) ?? NO_POSITION;
  }

  /** The position of a partition. If the position was removed, the last known one. */
  knownPosition(partition: number): PositionNow {
    return this.positions.get(partition) ?? this.#lostPositions.get(partition) ?? NO_POSITION;
  }

  /**
   * The last position of this epoch. After a loss there can be two owners. The older one continues at this position until it learns of the
   * newer one. (I4 judges whether it may handle messages at all.)
   */
  lastUnder(partition: number, epoch: number): PositionNow | undefined {
    return this.#under.get(`${partition} ${epoch}`);
  }

  isValid(partition: number, epoch: number): boolean {
    const { revision, owner } = this.lease(partition);
    if (revision === epoch && owner !== null && this.#mayHandle(owner)) return true;
    return this.losses.isExcused(epoch, this.lease(partition));
  }

  /** True if the session exists, or was lost without a fencing. A fencing would also have removed its proof of life. */
  #mayHandle(id: string): boolean {
    return this.sessions.has(id) || (this.losses.hasEverLost(id) && this.proofs.has(id));
  }

  identified(id: string, member: string): void {
    this.#members.set(id, member);
  }

  memberOf(id: string | null): string | undefined {
    return id === null ? undefined : this.#members.get(id);
  }

  handlerStarted(partition: number, epoch: number): void {
    if (this.#damage.isBehind(keys.position(this.#group, partition), epoch))
      this.#judge.violate(
        'I2',
        `p${partition} is handled at epoch ${epoch}, but its position cannot be read`,
      );
    this.#handledUnder.set(partition, Math.max(epoch, this.#handledUnder.get(partition) ?? 0));
  }

  /** Judges a write that a member sends. A commit needs a lease that is valid when it is sent. */
  sending(member: string, key: string, value: Uint8Array): void {
    const partition = this.#positionOf(key);
    if (partition === undefined) return;
    const position = decodePosition(value);
    // A write with epoch 0 restores a lost position. It is judged when it is applied.
    if (!position || position.epoch === 0 || position.seq <= this.#reached(partition, position)) return;
    if (this.#isLateTakeover(partition, position)) return;
    if (!this.isValid(partition, position.epoch)) {
      this.#judge.violate(
        'I1',
        `${member} sends a commit of p${partition} at epoch ${position.epoch}, but its lease is over`,
      );
    }
  }

  /** True if an owner takes over late. Before entries were lost or restored, its epoch or a newer one had already reached this position. */
  #isLateTakeover(partition: number, { seq, epoch }: PositionRecord): boolean {
    return [this.#positionsBefore, this.#lostPositions].some((known) => {
      const before = known.get(partition);
      return before !== undefined && epoch <= before.epoch && seq <= before.sequence;
    });
  }

  /** The position of the partition. For a record of an earlier layout, the partition's last position under that layout. */
  #reached(partition: number, { layout = 0 }: { layout?: number | undefined }): number {
    const known =
      layout < this.layout ? this.#replaced.get(layout)?.get(partition) : this.knownPosition(partition);
    return known?.sequence ?? 0;
  }

  /** Records that entries were removed without a deletion marker. */
  lose(entries: readonly BucketEntry[]): void {
    for (const { key } of entries) {
      const partition = this.#positionOf(key);
      if (partition !== undefined) {
        this.#lostPositions.set(partition, this.position(partition));
        this.positions.delete(partition);
      }
      const proofOf = this.#proofOf(key);
      if (proofOf !== undefined) this.proofs.delete(proofOf);
      const parsed = parseGroupKey(this.#group, key);
      if (parsed.kind === 'session' && this.sessions.delete(parsed.id)) this.losses.session(parsed.id);
      if (parsed.kind === 'lease') {
        this.losses.lease(this.lease(parsed.partition));
        this.leases.delete(parsed.partition);
      }
    }
  }

  /** Records that the bucket was restored from an older copy. Positions move back, and revisions repeat. */
  goBack(entries: readonly BucketEntry[]): void {
    this.losses.everything(this.sessions.keys());
    this.#givenOn.clear();
    for (const known of [this.#lostPositions, this.positions])
      for (const [partition, position] of known) this.#positionsBefore.set(partition, position);
    for (const known of [this.leases, this.positions, this.sessions, this.proofs, this.#handledUnder])
      known.clear();
    for (const { key, revision, value } of entries) {
      const partition = this.#positionOf(key);
      const position = value && decodePosition(value);
      if (partition !== undefined && position)
        this.positions.set(partition, {
          sequence: position.seq,
          epoch: position.epoch,
          crashes: position.crashes ?? 0,
        });
      const proofOf = this.#proofOf(key);
      if (proofOf !== undefined && value) this.proofs.set(proofOf, this.#judge.now);
      const parsed = parseGroupKey(this.#group, key);
      if (parsed.kind === 'session' && value) this.sessions.add(parsed.id);
      if (parsed.kind === 'lease') {
        const owner = (value && decodeLease(value)?.owner) ?? null;
        this.leases.set(parsed.partition, { revision, owner });
        // After an earlier restore, the same revision may have been granted to another lease.
        this.#granted.set(revision, { partition: parsed.partition, owner });
      }
    }
    // Sessions in the copy may have ended after it was made. Other members may know of that.
    this.losses.everything(this.sessions);
  }

  applied(entry: BucketEntry, writer: string): void {
    const { key, revision, value } = entry;
    const position = this.#positionOf(key);
    if (position !== undefined) {
      this.#position(position, entry, writer);
      return;
    }
    const id = this.#proofOf(key);
    if (id !== undefined) {
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
      if (this.#damage.isUnreadable(key) && writer !== OPERATOR)
        this.#judge.violate('I1', `${writer} overwrites the lease of p${partition}, which it cannot read`);
      this.#damage.written(key, record !== undefined || value === null, this.lease(partition).revision);
      // The owner may not know yet that its lease is unreadable.
      if (this.#damage.isUnreadable(key)) return;
      if (record && writer !== OPERATOR) {
        if (record.reason === 'claim') this.#claimed(partition, owner, writer);
        else {
          this.#givenAway(partition, writer);
          this.#givenOn.add(this.lease(partition).revision);
        }
      }
      const from = record && record.reason !== 'claim' ? this.lease(partition).revision : undefined;
      this.leases.set(partition, { revision, owner });
      this.#granted.set(revision, { partition, owner });
      const member = this.memberOf(owner);
      const seen = member === undefined ? 0 : this.#seenBy(member, key);
      this.losses.granted(revision, { member, session: owner, from, seen });
      this.leaseWrites++;
      if (this.#judge.isTracing)
        this.#judge.note(
          `${writer} gives p${partition} to ${this.memberOf(owner)} (${owner}) at ${revision}`,
        );
    }
  }

  /**
   * Checks the positions that a new layout records for the old partitions. They must cover everything that was handled and committed, and
   * nothing else.
   */
  cut(positions: readonly number[], writer: string): void {
    for (const [partition, seq] of positions.entries()) {
      const { sequence } = this.knownPosition(partition);
      if (seq !== sequence)
        this.#judge.violate(
          'I3',
          `${writer} resizes with p${partition} at ${seq}, but ${sequence} was committed`,
        );
      for (const message of this.#log.of(partition)) {
        if (message.sequence > seq) break;
        if (!message.done && !this.#log.isDropped(message))
          this.#judge.violate(
            'I2',
            `${writer} resizes past message ${message.sequence}, which was not handled`,
          );
      }
    }
  }

  /** The number of partitions has changed. No partition has an owner. Each starts at its position in the new layout. */
  resized(layout: GroupLayoutRecord): void {
    this.#replaced.set(this.layout, new Map(this.positions));
    this.layout = layout.epoch ?? 0;
    for (const [partition, { revision }] of this.leases) {
      if (partition < layout.partitions) this.leases.set(partition, { revision, owner: null });
      else this.leases.delete(partition);
    }
    for (const known of [this.positions, this.#highest, this.#handledUnder, this.#lostPositions])
      known.clear();
    this.#under.clear();
    for (let partition = 0; partition < layout.partitions; partition++) {
      const sequence = startsAt(partition, layout);
      this.positions.set(partition, { sequence, epoch: 0 });
      this.#highest.set(partition, sequence);
    }
  }

  /** The partition whose position has this key. The group's start is not a position. */
  #positionOf(key: string): number | undefined {
    const prefix = keys.positionPrefix(this.#group);
    if (!key.startsWith(prefix) || key === keys.start(this.#group)) return undefined;
    return Number(key.slice(prefix.length));
  }

  /** The id of the member whose proof of life has this key. */
  #proofOf(key: string): string | undefined {
    const prefix = keys.proofPrefix(this.#group);
    return key.startsWith(prefix) ? key.slice(prefix.length) : undefined;
  }

  /** I4: a partition is claimed only after its owner has certainly ended. */
  #claimed(partition: number, by: string | null, writer: string): void {
    const { owner } = this.lease(partition);
    if (owner === null || owner === by || !this.sessions.has(owner) || this.losses.hasEverLost(owner)) return;
    this.#judge.violate(
      'I4',
      `${writer} claims p${partition}, whose owner ${this.memberOf(owner)} has a session`,
    );
  }

  /** Deliveries of a changed shared reader to this partition do not count. Its owner knows that, and does not commit them. */
  mistrusted(partition: number): void {
    this.#mistrusted.set(partition, this.lease(partition).revision);
  }

  /** I3: before an owner gives its partition away, it has committed everything that it handled. */
  #givenAway(partition: number, writer: string): void {
    const { sequence } = this.position(partition);
    // After a restore from an older copy, an owner may not know that its commits were undone.
    const committed = Math.max(sequence, this.#highest.get(partition) ?? 0);
    let next = this.#log.firstAfter(partition, committed);
    while (next && !next.done && this.#log.isDropped(next)) next = this.#log.of(partition)[next.index + 1];
    const epoch = this.lease(partition).revision;
    if (!next?.done || next.handledUnder !== epoch || this.#mayRepeat(next.sequence)) return;
    if (this.#mistrusted.get(partition) === epoch) return;
    // An unreadable position cannot be moved.
    if (this.#damage.wasUnder(keys.position(this.#group, partition), epoch)) return;
    this.#judge.violate(
      'I3',
      `${writer} gives p${partition} away at epoch ${epoch} with position ${sequence}, although it had handled ${next.sequence}`,
    );
  }

  #position(partition: number, { key, value }: BucketEntry, writer: string): void {
    const written = value && decodePosition(value);
    if (this.#damage.isUnreadable(key) && writer !== OPERATOR)
      this.#judge.violate('I8', `${writer} overwrites the position of p${partition}, which it cannot read`);
    this.#damage.written(key, written !== undefined, this.lease(partition).revision);
    if (!written) return;
    const { seq, epoch, crashes = 0, layout = 0 } = written;
    if (layout !== this.layout) {
      // An owner may write its position again if it does not know that its lease is closed. That is harmless: no member reads positions of
      // an older layout.
      if (layout < this.layout && seq <= this.#reached(partition, written)) return;
      this.#judge.violate('I1', `${writer} commits p${partition} of layout ${layout}, not ${this.layout}`);
    }
    const what = `${writer} sets p${partition} to ${seq} at epoch ${epoch}`;
    if (this.#judge.isTracing) this.#judge.note(what);
    this.#judgeCommit(partition, { sequence: seq, epoch }, writer, what);
    const before = this.position(partition);
    if (crashes > (before.crashes ?? 0) && this.#givenOn.has(before.epoch))
      this.#judge.violate('I13', `${what} and counts a death, but the last owner gave the partition away`);
    this.positions.set(partition, { sequence: seq, epoch, crashes });
    if (epoch > 0)
      this.#committers.set(partition, {
        writer,
        known: this.#committers.get(partition)?.writer === writer ? before.sequence : 0,
      });
    this.#under.set(`${partition} ${epoch}`, { sequence: seq, epoch });
    this.#highest.set(partition, Math.max(seq, this.#highest.get(partition) ?? 0));
  }

  #judgeCommit(partition: number, { sequence: seq, epoch }: PositionNow, writer: string, what: string): void {
    const before = this.position(partition);
    // After a loss, a member that knew the position writes it back with epoch 0. The sequence is never above what was committed.
    const isBack = epoch === 0 && before.epoch === 0 && seq >= before.sequence;
    if (isBack && seq <= (this.#highest.get(partition) ?? 0)) return;
    const grant = this.#granted.get(epoch);
    if (writer !== OPERATOR && (grant?.partition !== partition || this.memberOf(grant.owner) !== writer)) {
      this.#judge.violate('I1', `${what}, an epoch that was never its own`);
    }
    // Epochs above the newest lease's epoch began before the bucket was restored from an older copy.
    const granted = this.lease(partition).revision;
    const begun = [before.epoch, this.#handledUnder.get(partition) ?? 0].filter((each) => each <= granted);
    const newest = Math.max(0, ...begun);
    if (epoch < newest) this.#judge.violate('I1', `${what}, but epoch ${newest} has begun`);
    if (seq < before.sequence) this.#judge.violate('I8', `${what}, back from ${before.sequence}`);
    const last = this.#committers.get(partition);
    if (before === NO_POSITION && last?.writer === writer && seq < last.known)
      this.#judge.violate(
        'I8',
        `${what}, but it had committed ${last.known} before the bucket lost the position`,
      );
    for (let next = this.#log.firstAfter(partition, before.sequence); next && next.sequence <= seq; ) {
      if (!next.done && !this.#log.isDropped(next)) {
        this.#judge.violate('I2', `${what}, but message ${next.sequence} was not handled`);
        break;
      }
      next = this.#log.of(partition)[next.index + 1];
    }
  }
}
