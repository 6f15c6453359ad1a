import type { Clock } from '../../lib/clock.js';
import type { NatspocError } from '../../lib/errors.js';
import type { Bucket, ReadOutcome, WriteOutcome } from '../../ports/index.js';
import { decodeEntry } from '../../protocol/entries.js';
import type { Effect, GroupEvent, ProofFound, SessionEntry, Written } from '../../protocol/events.js';
import { keys } from '../../protocol/keys.js';
import { RECORD_VERSION } from '../../protocol/record-format.js';
import { encodeRecord, type LeaseRecord, type SessionRecord } from '../../protocol/records.js';
import type { MemberSettings } from './contract.js';

/** A time that is longer than any wait of a member. JSON represents the number exactly. */
const NEVER_MS = Number.MAX_SAFE_INTEGER;

type WithoutNow<T> = T extends unknown ? Omit<T, 'now'> : never;
/** An event without its time. */
export type EventWithoutNow = WithoutNow<GroupEvent>;

/** The dependencies of {@link BucketEffects}. */
export interface BucketEffectsPorts {
  bucket: Bucket;
  /** The bucket without the check that revisions only grow. */
  unjudged: Bucket;
  clock: Clock;
  /** Receives the answer as an event. */
  feed: (event: EventWithoutNow) => void;
  /** Receives an error that no retry can fix. */
  fail: (error: NatspocError) => void;
}

/** Executes the reads and writes that the protocol requests, and feeds the answers back. */
export class BucketEffects {
  readonly #settings: MemberSettings;
  readonly #ports: BucketEffectsPorts;
  readonly #startedAt = new Date().toISOString();

  constructor(settings: MemberSettings, ports: BucketEffectsPorts) {
    this.#settings = settings;
    this.#ports = ports;
  }

  async writeProof({ id, expected }: Extract<Effect, { type: 'write-proof' }>): Promise<void> {
    const { group, timing } = this.#settings;
    const { bucket, clock } = this.#ports;
    const sentAt = clock.now();
    const record = encodeRecord({ v: RECORD_VERSION, at: new Date().toISOString() });
    // A later answer is useless. By then the proof of life may have been written again.
    const options = { timeoutMs: timing.graceMs };
    const outcome = await bucket.write(keys.proof(group, id), record, expected, options);
    this.#answer(outcome, (written) => ({ type: 'proof-written', id, sentAt, outcome: written }));
  }

  /** `probeable` is true if other members can ask the server whether this member is connected. */
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
      resizes: true,
      ...(effect.gaveUp !== null && { gaveUp: effect.gaveUp }),
    };
    const key = keys.session(group, effect.id);
    const outcome = await this.#ports.bucket.write(key, encodeRecord(record), effect.expected);
    this.#answer(outcome, (written) => ({ type: 'session-written', id: effect.id, outcome: written }));
  }

  async removeSession({ id, expected, proof }: Extract<Effect, { type: 'remove-session' }>): Promise<void> {
    const { bucket } = this.#ports;
    const { group } = this.#settings;
    const removing = bucket.remove(keys.session(group, id), expected);
    // This outcome does not matter. No member reads a proof of life without a session, and a later sweep removes it.
    void bucket.remove(keys.proof(group, id), proof);
    this.#answer(await removing, (written) => ({ type: 'session-removed', id, outcome: written }));
  }

  async endProof({ id, expected }: Extract<Effect, { type: 'end-proof' }>): Promise<void> {
    const key = keys.proof(this.#settings.group, id);
    const outcome = await this.#ports.bucket.remove(key, expected);
    this.#answer(outcome, (written) => ({ type: 'proof-ended', id, outcome: written }));
  }

  async fenceSession({ id, expected }: Extract<Effect, { type: 'fence-session' }>): Promise<void> {
    const key = keys.session(this.#settings.group, id);
    const outcome = await this.#ports.bucket.remove(key, expected);
    this.#answer(outcome, (written) => ({ type: 'session-fenced', id, outcome: written }));
  }

  async readProof(id: string): Promise<void> {
    const { feed, fail } = this.#ports;
    const found = await this.#findProof(id);
    if (found.kind === 'failed') fail(found.error);
    else feed({ type: 'proof-read', id, outcome: found });
  }

  /** `known` is the session's known revision. At a lower revision, the session counts as vanished. */
  async readSession(id: string, known: number): Promise<void> {
    const { feed, fail } = this.#ports;
    const found = await this.#findSession(id);
    if (found.kind === 'failed') fail(found.error);
    else if (found.kind === 'unknown') feed({ type: 'session-read', id, outcome: found });
    else if (found.kind === 'missing' || found.entry.revision < known)
      feed({ type: 'session-read', id, outcome: { kind: 'vanished' } });
    else {
      const { entry } = found;
      feed({ type: 'session-read', id, outcome: { kind: 'ok', entry: entry.record ? entry : null } });
    }
  }

  async lookUpSession(id: string): Promise<void> {
    const { feed, fail } = this.#ports;
    const session = await this.#findSession(id);
    const found = session.kind === 'missing' ? await this.#findProof(id) : session;
    if (found.kind === 'failed') fail(found.error);
    else if (found.kind === 'ok')
      feed({
        type: 'session-looked-up',
        id,
        found: { kind: 'missing', proof: found.revision, ended: found.ended },
      });
    else if (found.kind === 'found' && found.entry.record !== null)
      feed({ type: 'session-looked-up', id, found });
    else if (found.kind === 'unknown') feed({ type: 'session-looked-up', id, found });
    else feed({ type: 'session-looked-up', id, found: { kind: 'found', entry: null } });
  }

  async #findProof(id: string): Promise<ProofFound | { kind: 'failed'; error: NatspocError }> {
    // This read skips the check for lost data. A newly elected leader can lag behind by one renewal.
    const found = await this.#ports.unjudged.read(keys.proof(this.#settings.group, id));
    return found.kind === 'failed' ? found : proofIn(found);
  }

  async #findSession(
    id: string,
  ): Promise<{ kind: 'found'; entry: SessionEntry } | Exclude<ReadOutcome, { kind: 'found' }>> {
    const { group } = this.#settings;
    const found = await this.#ports.bucket.read(keys.session(group, id));
    if (found.kind !== 'found') return found;
    const entry = decodeEntry(group, found.entry);
    return entry?.kind === 'session' ? { kind: 'found', entry } : { kind: 'missing' };
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

  async lookUpOverride(partition: number, known: number): Promise<void> {
    const { bucket, feed, fail } = this.#ports;
    const { group } = this.#settings;
    const found = await bucket.read(keys.override(group, partition));
    if (found.kind === 'failed') fail(found.error);
    else if (found.kind === 'unknown')
      feed({ type: 'override-looked-up', partition, known, entry: 'unknown' });
    else {
      const entry = found.kind === 'found' ? decodeEntry(group, found.entry) : undefined;
      const override = entry?.kind === 'override' ? entry : null;
      feed({ type: 'override-looked-up', partition, known, entry: override });
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

  async writeLayout({ expected, record }: Extract<Effect, { type: 'write-layout' }>): Promise<void> {
    const key = keys.groupLayout(this.#settings.group);
    const outcome = await this.#ports.bucket.write(key, encodeRecord(record), expected);
    this.#answer(outcome, (written) => ({ type: 'layout-written', expected, record, outcome: written }));
  }

  async lookUpLayout(): Promise<void> {
    const { bucket, feed, fail } = this.#ports;
    const { group } = this.#settings;
    const found = await bucket.read(keys.groupLayout(group));
    if (found.kind === 'failed') fail(found.error);
    else if (found.kind === 'unknown') feed({ type: 'layout-looked-up', entry: 'unknown' });
    else {
      const entry = found.kind === 'found' ? decodeEntry(group, found.entry) : undefined;
      feed({ type: 'layout-looked-up', entry: entry?.kind === 'layout' ? entry : null });
    }
  }

  #answer(outcome: WriteOutcome, event: (written: Written) => EventWithoutNow): void {
    if (outcome.kind === 'failed') this.#ports.fail(outcome.error);
    else this.#ports.feed(event(outcome));
  }
}

function proofIn(found: Exclude<ReadOutcome, { kind: 'failed' }>): ProofFound {
  if (found.kind === 'unknown') return found;
  if (found.kind === 'missing') return { kind: 'ok', revision: 0, ended: false };
  return { kind: 'ok', revision: found.entry.revision, ended: found.entry.value === null };
}
