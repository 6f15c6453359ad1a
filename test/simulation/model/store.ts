import type { BucketEntry } from '../../../src/core/protocol/entries.js';

/** The contents of a bucket at one moment. */
export interface StoreCopy {
  readonly revision: number;
  readonly entries: readonly BucketEntry[];
}

/** The bucket at its leader: one total order of writes, the newest entry of each key, and a history. */
export class Store {
  #revision = 0;
  #generation = 0;
  readonly #entries = new Map<string, BucketEntry>();
  readonly #previous = new Map<string, BucketEntry>();
  readonly #observers = new Set<(entry: BucketEntry, writer: string) => void>();

  /** Called for each applied write, until the returned function is called. */
  observe(observer: (entry: BucketEntry, writer: string) => void): () => void {
    this.#observers.add(observer);
    return () => this.#observers.delete(observer);
  }

  get(key: string): BucketEntry | undefined {
    return this.#entries.get(key);
  }

  /** The answer of a replica that lags by one write. */
  before(key: string): BucketEntry | undefined {
    return this.#previous.get(key);
  }

  /** Applies a conditional write (`expected` 0: must not exist). Returns the revision; undefined: conflict. */
  write(key: string, value: Uint8Array | null, expected: number, writer: string): number | undefined {
    const newest = this.#entries.get(key);
    if ((newest?.revision ?? 0) !== expected) return undefined;
    if (newest) this.#previous.set(key, newest);
    const entry: BucketEntry = { key, revision: ++this.#revision, value };
    this.#entries.set(key, entry);
    for (const observer of this.#observers) observer(entry, writer);
    return entry.revision;
  }

  /** Keeps a copy of the current contents while it may be needed. */
  view(): {
    get(key: string): BucketEntry | undefined;
    newestBelow(prefix: string): BucketEntry | undefined;
  } {
    const entries = new Map(this.#entries);
    return {
      get: (key) => entries.get(key),
      newestBelow: (prefix) => newestOf(entries.values(), prefix),
    };
  }

  /** The current contents. */
  copy(): StoreCopy {
    return { revision: this.#revision, entries: this.below('') };
  }

  /** Silently restores an older copy. */
  putBack({ revision, entries }: StoreCopy): void {
    this.#revision = revision;
    this.#generation++;
    this.#previous.clear();
    this.#entries.clear();
    for (const entry of entries) this.#entries.set(entry.key, entry);
  }

  /** Counts restores; writes in flight at a restore do not arrive. */
  get generation(): number {
    return this.#generation;
  }

  /** Silently removes entries without a marker, and returns them. */
  lose(matches: (key: string) => boolean): BucketEntry[] {
    const lost = [...this.#entries.values()].filter(({ key }) => matches(key));
    for (const { key } of lost) {
      this.#entries.delete(key);
      this.#previous.delete(key);
    }
    return lost;
  }

  /** The newest entry of each key with the prefix, in the order of writes. */
  below(prefix: string): BucketEntry[] {
    const found: BucketEntry[] = [];
    for (const entry of this.#entries.values()) if (entry.key.startsWith(prefix)) found.push(entry);
    return found.sort((a, b) => a.revision - b.revision);
  }

  /** The newest entry with the prefix. */
  newestBelow(prefix: string): BucketEntry | undefined {
    return newestOf(this.#entries.values(), prefix);
  }
}

function newestOf(entries: Iterable<BucketEntry>, prefix: string): BucketEntry | undefined {
  let newest: BucketEntry | undefined;
  for (const entry of entries)
    if (entry.revision > (newest?.revision ?? 0) && entry.key.startsWith(prefix)) newest = entry;
  return newest;
}
