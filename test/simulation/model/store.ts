import type { BucketEntry } from '../../../src/core/protocol/entries.js';

/** All that a bucket holds at one moment. */
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

  /** Hears of each write as it is applied; returns what ends that. */
  observe(observer: (entry: BucketEntry, writer: string) => void): () => void {
    this.#observers.add(observer);
    return () => this.#observers.delete(observer);
  }

  get(key: string): BucketEntry | undefined {
    return this.#entries.get(key);
  }

  /** What a replica that lags one write behind would say. */
  before(key: string): BucketEntry | undefined {
    return this.#previous.get(key);
  }

  /** Applies a conditional write (`expected` 0: nothing there). Returns the revision, or undefined on conflict. */
  write(key: string, value: Uint8Array | null, expected: number, writer: string): number | undefined {
    const newest = this.#entries.get(key);
    if ((newest?.revision ?? 0) !== expected) return undefined;
    if (newest) this.#previous.set(key, newest);
    const entry: BucketEntry = { key, revision: ++this.#revision, value };
    this.#entries.set(key, entry);
    for (const observer of this.#observers) observer(entry, writer);
    return entry.revision;
  }

  /** What it holds now, for as long as somebody may look at that. */
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

  /** All that it holds now. */
  copy(): StoreCopy {
    return { revision: this.#revision, entries: this.below('') };
  }

  /** An older copy takes the place of what is there; nobody who follows it is told. */
  putBack({ revision, entries }: StoreCopy): void {
    this.#revision = revision;
    this.#generation++;
    this.#previous.clear();
    this.#entries.clear();
    for (const entry of entries) this.#entries.set(entry.key, entry);
  }

  /** Counts how often it went back: what was on its way to it then does not arrive. */
  get generation(): number {
    return this.#generation;
  }

  /** Takes entries away without a mark, and tells nobody; returns them. */
  lose(matches: (key: string) => boolean): BucketEntry[] {
    const lost = [...this.#entries.values()].filter(({ key }) => matches(key));
    for (const { key } of lost) {
      this.#entries.delete(key);
      this.#previous.delete(key);
    }
    return lost;
  }

  /** The newest entry of each key below the prefix in the order of their writes. */
  below(prefix: string): BucketEntry[] {
    const found: BucketEntry[] = [];
    for (const entry of this.#entries.values()) if (entry.key.startsWith(prefix)) found.push(entry);
    return found.sort((a, b) => a.revision - b.revision);
  }

  /** The newest entry below the prefix. */
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
