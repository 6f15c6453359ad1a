import type { Clock } from '../../lib/clock.js';
import type { Bucket, ReadOutcome, Watch, WatchSink, WriteOutcome } from '../../ports/index.js';
import type { BucketEntry } from '../../protocol/entries.js';
import type { BucketHealth } from './standstill.js';

/**
 * A bucket, with a check for lost data. A write gets a higher revision than any seen before it was sent. A key's revision never falls. If
 * the revision in an answer is too low, the bucket has lost data. A snapshot of the watch can lag behind, so an old revision there proves
 * no loss.
 */
export class HighWater implements Bucket, BucketHealth {
  readonly #bucket: Bucket;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #wentBack: () => void;
  #newest = 0;
  #refusal: string | undefined;
  #unheard: string | undefined;
  #answerMs = 0;
  /** The last known revisions of the keys that were read or written through this object. */
  readonly #keys = new Map<string, number>();
  /** The number of calls of {@link forget}. Answers to requests from before the last call prove nothing about the current bucket. */
  #generation = 0;

  /** `wentBack` is called when the bucket has lost data, before the read or write returns. */
  constructor(bucket: Bucket, clock: Pick<Clock, 'now'>, wentBack: () => void) {
    this.#bucket = bucket;
    this.#clock = clock;
    this.#wentBack = wentBack;
  }

  /** Why no server received the last write, or why one last refused a write; undefined once a later write has a known outcome. */
  get refusal(): string | undefined {
    return this.#unheard ?? this.#refusal;
  }

  /** How long the last answer took, in milliseconds. */
  get answerMs(): number {
    return this.#answerMs;
  }

  /** Forgets all revisions. */
  forget(): void {
    this.#newest = 0;
    this.#keys.clear();
    this.#generation++;
  }

  async read(key: string): Promise<ReadOutcome> {
    const generation = this.#generation;
    const known = this.#keys.get(key) ?? 0;
    const sentAt = this.#clock.now();
    const found = await this.#bucket.read(key);
    if (found.kind !== 'unknown') this.#answerMs = this.#clock.now() - sentAt;
    if (found.kind !== 'found' || generation !== this.#generation) return found;
    const { revision } = found.entry;
    if (revision < known) {
      this.#wentBack();
      return { kind: 'unknown' };
    }
    this.#see(revision, generation);
    this.#keys.set(key, Math.max(revision, this.#keys.get(key) ?? 0));
    return found;
  }

  write(...args: Parameters<Bucket['write']>): Promise<WriteOutcome> {
    return this.#judge(args[0], () => this.#bucket.write(...args));
  }

  remove(key: string, expectedRevision: number): Promise<WriteOutcome> {
    return this.#judge(key, () => this.#bucket.remove(key, expectedRevision));
  }

  watch(prefix: string, sink: WatchSink): Watch {
    const generation = this.#generation;
    const see = (entries: readonly BucketEntry[]): void => {
      for (const { revision } of entries) this.#see(revision, generation);
    };
    return this.#bucket.watch(prefix, {
      snapshot: (entries) => {
        see(entries);
        sink.snapshot(entries);
      },
      changes: (entries) => {
        see(entries);
        sink.changes(entries);
      },
      failed: (error) => sink.failed(error),
    });
  }

  #see(revision: number, generation: number): void {
    if (generation === this.#generation) this.#newest = Math.max(this.#newest, revision);
  }

  async #judge(key: string, send: () => Promise<WriteOutcome>): Promise<WriteOutcome> {
    const generation = this.#generation;
    const newest = this.#newest;
    const sentAt = this.#clock.now();
    const outcome = await send();
    if (outcome.kind !== 'unknown') this.#answerMs = this.#clock.now() - sentAt;
    this.#refusal = outcome.kind === 'unknown' ? (outcome.refusal ?? this.#refusal) : undefined;
    // A server that is known to receive writes again can still have other reasons for its silence.
    this.#unheard = outcome.kind === 'unknown' ? outcome.unheard : undefined;
    if (outcome.kind !== 'ok') return outcome;
    if (generation !== this.#generation) return { kind: 'unknown' };
    if (outcome.revision <= newest) {
      this.#wentBack();
      return { kind: 'unknown' };
    }
    this.#see(outcome.revision, generation);
    this.#keys.set(key, outcome.revision);
    return outcome;
  }
}
