import { type Clock, sleep } from '../../lib/clock.js';
import type { NatspocError } from '../../lib/errors.js';
import type { Bucket, Confirmation } from '../../ports/index.js';
import { keys } from '../../protocol/keys.js';
import { decodePosition, type PositionRecord, type PositionTags } from '../../protocol/position-records.js';
import { encodeRecord } from '../../protocol/records.js';
import { StopConsuming } from './handler.js';
import type { Permit } from './permit.js';

/** Delay after an unknown outcome or a refused write, in milliseconds. */
const RETRY_MS = 100;

/** The fields of a position that can change within an epoch; see {@link PositionRecord}. */
export type PositionState = Pick<
  PositionRecord,
  'seq' | 'created' | 'stored' | 'trimmed' | 'crashes' | 'suspect' | 'trying'
>;

/** The dependencies of a {@link PositionWriter}. */
export interface PositionWriterPorts {
  bucket: Bucket;
  /** Confirms before a commit that no earlier message is missing. */
  confirm: () => Promise<Confirmation>;
  clock: Clock;
  permit: Permit;
  barrier?: Barrier | undefined;
}

/**
 * Returns a promise that resolves when the effects of all messages handled so far are safe. Returns undefined if there is nothing to wait
 * for. If the promise is rejected, nothing more is committed, and the member leaves with that error. `last` resolves when this owner is
 * about to commit for the last time. From then on, the barrier should make effects safe at once.
 */
export type Barrier = (last: Promise<void>) => Promise<void> | undefined;

/**
 * The outcome of a write. `ok`: `state` was certainly written. `again`: `state` may not have been written. `fenced`: a newer owner has
 * written the position. `vanished`: the position no longer exists. `moved`: a seek moved the position under our epoch. `doubted`: the
 * partition may have lost messages that come before handled messages. `unsafe`: the barrier was rejected.
 */
export type PositionWritten =
  | { kind: 'ok'; state: PositionState; sentAt: number }
  | { kind: 'again' }
  | { kind: 'fenced' | 'vanished' | 'moved' }
  | { kind: 'doubted'; reason: string }
  | { kind: 'failed'; error: NatspocError }
  | { kind: 'unsafe'; error: StopConsuming };

/** The position that an owner has just taken over. */
export interface OwnPosition {
  group: string;
  partition: number;
  epoch: number;
  revision: number;
  /** The token of the owner's reader. */
  reader: string;
  tags: PositionTags;
}

/**
 * Writes one partition's position under its owner's epoch, by compare-and-set. After an unknown outcome, the position is read back. If
 * the entry has our epoch and a state that we sent, the write was applied.
 */
export class PositionWriter {
  readonly #key: string;
  readonly #at: OwnPosition;
  readonly #ports: PositionWriterPorts;
  #revision: number;
  /** The states sent since the last confirmed write. The bucket can hold any of them. */
  #sent: PositionState[] = [];

  constructor(at: OwnPosition, ports: PositionWriterPorts) {
    this.#key = keys.position(at.group, at.partition);
    this.#at = at;
    this.#revision = at.revision;
    this.#ports = ports;
  }

  /** Checks that the position still exists. An entry that was removed from the bucket's stream leaves no marker. */
  async isThere(): Promise<boolean> {
    const revision = this.#revision;
    const found = await this.#ports.bucket.read(this.#key);
    if (this.#revision !== revision) return true;
    return found.kind !== 'missing' && !(found.kind === 'found' && found.entry.revision < revision);
  }

  /**
   * Awaits the barrier and `confirm`, then writes the position.
   *
   * @param isStale called before the write is sent, and before the position is read back. If `isStale` returns true, the write ends with
   *   `again`.
   * @param last see {@link Barrier}.
   */
  async write(state: PositionState, isStale: () => boolean, last: Promise<void>): Promise<PositionWritten> {
    const { bucket, clock, barrier, confirm, permit } = this.#ports;
    const { epoch, reader, tags } = this.#at;
    try {
      await barrier?.(last);
    } catch (cause) {
      const why = `the barrier before a commit was rejected: ${String(cause)}`;
      const error = cause instanceof StopConsuming ? cause : new StopConsuming(why, { cause });
      return { kind: 'unsafe', error };
    }
    const reading = await confirm();
    if (isStale() || !permit.isOpen) return { kind: 'again' };
    if (typeof reading === 'object') return { kind: 'doubted', reason: reading.doubt };
    if (reading === 'unknown') return this.#later();
    const sentAt = clock.now();
    this.#sent.push(state);
    const record = { ...tags, ...state, epoch, reader, at: new Date().toISOString() };
    const outcome = await bucket.write(this.#key, encodeRecord(record), this.#revision);
    if (outcome.kind === 'ok') return this.#confirmed(outcome.revision, state, sentAt);
    if (outcome.kind === 'failed') return outcome;
    if (isStale()) return { kind: 'again' };
    const found = await this.#readBack(sentAt);
    // If the bucket refuses a write, for example because it is full, it is not asked again immediately.
    if (!isStale() && outcome.kind === 'unknown' && outcome.refusal !== undefined)
      await sleep(clock, RETRY_MS);
    return found;
  }

  #confirmed(revision: number, state: PositionState, sentAt: number): PositionWritten {
    this.#revision = revision;
    this.#sent = [];
    return { kind: 'ok', state, sentAt };
  }

  async #later(): Promise<PositionWritten> {
    await sleep(this.#ports.clock, RETRY_MS);
    return { kind: 'again' };
  }

  async #readBack(sentAt: number): Promise<PositionWritten> {
    const found = await this.#ports.bucket.read(this.#key);
    if (found.kind === 'failed') return found;
    if (found.kind === 'unknown') return this.#later();
    const position =
      found.kind === 'found' && found.entry.value ? decodePosition(found.entry.value) : undefined;
    if (found.kind === 'missing' || !position) return { kind: 'vanished' };
    if (position.epoch !== this.#at.epoch) return { kind: 'fenced' };
    if (found.entry.revision <= this.#revision) return { kind: 'again' };
    const applied = this.#sent.find((sent) => isSame(sent, position));
    return applied ? this.#confirmed(found.entry.revision, applied, sentAt) : { kind: 'moved' };
  }
}

const isSame = (sent: PositionState, found: PositionState): boolean =>
  sent.seq === found.seq &&
  sent.trimmed === found.trimmed &&
  sent.crashes === found.crashes &&
  sent.trying === found.trying;
