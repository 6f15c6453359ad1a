import type { Clock } from '../clock.js';
import type { NatspocError } from '../errors.js';
import type { Effect, GroupEvent, Written } from '../group/events.js';
import {
  encodeRecord,
  keys,
  type LeaseRecord,
  RECORD_VERSION,
  type SessionRecord,
} from '../group/records.js';
import type { Bucket, WriteOutcome } from '../ports.js';
import { decodeEntry } from '../view-entries.js';
import type { MemberSettings } from './contract.js';

/** Longer than anybody waits, and still a number in JSON. */
const NEVER_MS = Number.MAX_SAFE_INTEGER;

type WithoutNow<T> = T extends unknown ? Omit<T, 'now'> : never;
/** An event that has not been given its time yet. */
export type EventWithoutNow = WithoutNow<GroupEvent>;

/** What the effects on the bucket need from their member. */
export interface BucketEffectsPorts {
  bucket: Bucket;
  clock: Clock;
  /** Takes the answer as an event. */
  feed: (event: EventWithoutNow) => void;
  /** Takes what cannot be cured. */
  fail: (error: NatspocError) => void;
}

/** Carries out what the protocol orders to be read and written, and feeds the answers back. */
export class BucketEffects {
  readonly #settings: MemberSettings;
  readonly #ports: BucketEffectsPorts;
  readonly #startedAt = new Date().toISOString();

  constructor(settings: MemberSettings, ports: BucketEffectsPorts) {
    this.#settings = settings;
    this.#ports = ports;
  }

  /** `probeable`: others can ask the server whether this member is still connected. */
  async writeSession(effect: Extract<Effect, { type: 'write-session' }>, probeable: boolean): Promise<void> {
    const { group, name, host, pid, version, timing } = this.#settings;
    const record: SessionRecord = {
      v: RECORD_VERSION,
      id: effect.id,
      name,
      host,
      pid,
      version,
      startedAt: this.#startedAt,
      ttlMs: timing.ttlMs,
      suspectMs: probeable ? timing.suspectMs : NEVER_MS,
      ...(effect.leaving && { leaving: true }),
    };
    const sentAt = this.#ports.clock.now();
    const key = keys.session(group, effect.id);
    const outcome = await this.#ports.bucket.write(key, encodeRecord(record), effect.expected);
    this.#answer(outcome, (written) => ({
      type: 'session-written',
      id: effect.id,
      sentAt,
      outcome: written,
    }));
  }

  async removeSession(id: string, expected: number): Promise<void> {
    const outcome = await this.#ports.bucket.remove(keys.session(this.#settings.group, id), expected);
    this.#answer(outcome, (written) => ({ type: 'session-removed', id, outcome: written }));
  }

  async fenceSession(id: string, expected: number): Promise<void> {
    // Its renewals stay: the last one tells how long nobody handled its partitions.
    const key = keys.session(this.#settings.group, id);
    const outcome = await this.#ports.bucket.remove(key, expected, { keepPast: true });
    this.#answer(outcome, (written) => ({ type: 'session-fenced', id, outcome: written }));
  }

  /** `known`: the revision that it has at least. */
  async readSession(id: string, known: number): Promise<void> {
    const { bucket, clock, feed, fail } = this.#ports;
    const sentAt = clock.now();
    const found = await bucket.read(keys.session(this.#settings.group, id));
    if (found.kind === 'failed') fail(found.error);
    else if (found.kind === 'unknown')
      feed({ type: 'session-read', id, sentAt, outcome: { kind: 'unknown' } });
    else {
      const isThere = found.kind === 'found' && found.entry.revision >= known;
      const revision = isThere && found.entry.value ? found.entry.revision : null;
      feed({
        type: 'session-read',
        id,
        sentAt,
        outcome: isThere ? { kind: 'ok', revision } : { kind: 'vanished' },
      });
    }
  }

  async lookUpSession(id: string): Promise<void> {
    const { bucket, feed, fail } = this.#ports;
    const { group } = this.#settings;
    const found = await bucket.read(keys.session(group, id));
    if (found.kind === 'failed') fail(found.error);
    else if (found.kind === 'unknown') feed({ type: 'session-looked-up', id, entry: 'unknown' });
    else {
      const entry = found.kind === 'found' ? decodeEntry(group, found.entry) : undefined;
      feed({ type: 'session-looked-up', id, entry: entry?.kind === 'session' ? entry : null });
    }
  }

  async lookUpLease(partition: number, known: number): Promise<void> {
    const { bucket, feed, fail } = this.#ports;
    const { group } = this.#settings;
    const found = await bucket.read(keys.lease(group, partition));
    if (found.kind === 'failed') fail(found.error);
    else if (found.kind === 'unknown') feed({ type: 'lease-looked-up', partition, known, entry: 'unknown' });
    else {
      const entry = found.kind === 'found' ? decodeEntry(group, found.entry) : undefined;
      feed({ type: 'lease-looked-up', partition, known, entry: entry?.kind === 'lease' ? entry : null });
    }
  }

  async writeLease({ partition, expected, record }: Extract<Effect, { type: 'write-lease' }>): Promise<void> {
    const stamped: LeaseRecord = { ...record, at: new Date().toISOString() };
    const key = keys.lease(this.#settings.group, partition);
    const outcome = await this.#ports.bucket.write(key, encodeRecord(stamped), expected);
    this.#answer(outcome, (written) => ({
      type: 'lease-written',
      partition,
      expected,
      record: stamped,
      outcome: written,
    }));
  }

  #answer(outcome: WriteOutcome, event: (written: Written) => EventWithoutNow): void {
    if (outcome.kind === 'failed') this.#ports.fail(outcome.error);
    else this.#ports.feed(event(outcome));
  }
}
