import type { StreamInfo } from 'nats';
import type { NatsHandles } from '../client/handles.js';
import { entriesFrom, type StoredEntry } from './bucket-past.js';

/** Interval, in milliseconds, at which the whole bucket is read again, even if the counts agree. */
const WHOLE_EVERY_MS = 60_000;

/** The state of a bucket. A different creation time means a different bucket. */
type State = Pick<StreamInfo['state'], 'last_seq' | 'num_subjects'> & { created: string };

/**
 * A copy of the newest entry of each key, including deletion markers. If there are fewer new entries than keys, an
 * update reads only the new entries.
 */
export class BucketCopy {
  #entries = new Map<string, StoredEntry>();
  #upTo = 0;
  #created = '';
  #wholeAt = Number.NEGATIVE_INFINITY;

  get entries(): Iterable<StoredEntry> {
    return this.#entries.values();
  }

  /**
   * Brings the copy up to date.
   *
   * @param info the state of the bucket's stream, read immediately before this call.
   * @throws NatspocError if the bucket cannot be read.
   */
  async update(handles: NatsHandles, bucket: string, info: StreamInfo, timeoutMs: number): Promise<void> {
    const { last_seq, num_subjects } = info.state;
    const state = { last_seq, num_subjects, created: String(info.created) };
    if (this.#mayContinue(state)) {
      if (last_seq > this.#upTo)
        this.#apply(await entriesFrom(handles, bucket, this.#upTo + 1, timeoutMs), last_seq);
      this.#upTo = last_seq;
      // Fewer keys in the bucket: some were purged. More keys: the copy missed an entry.
      if (this.#entries.size === num_subjects) return;
    }
    this.#entries = new Map();
    this.#apply(await entriesFrom(handles, bucket, undefined, timeoutMs), Number.POSITIVE_INFINITY);
    this.#upTo = last_seq;
    this.#created = state.created;
    this.#wholeAt = performance.now();
  }

  #mayContinue({ last_seq, created }: State): boolean {
    const news = last_seq - this.#upTo;
    const isFresh = performance.now() - this.#wholeAt < WHOLE_EVERY_MS;
    return isFresh && created === this.#created && news >= 0 && news < this.#entries.size;
  }

  /** Ignores entries newer than `upTo`. With them, the number of keys could not be compared. */
  #apply(entries: readonly StoredEntry[], upTo: number): void {
    for (const entry of entries) if (entry.revision <= upTo) this.#entries.set(entry.key, entry);
  }
}
