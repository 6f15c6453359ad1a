import type { BucketEntry } from '../../../src/core/protocol/entries.js';
import { KeyValues } from '../../../src/core/testing/key-values.js';

/** The contents of a bucket at one moment. */
export interface StoreCopy {
  readonly revision: number;
  readonly entries: readonly BucketEntry[];
}

/** The bucket with its faults: lagging replicas, restored copies, lost entries. */
export class Store extends KeyValues {
  #generation = 0;
  readonly #previous = new Map<string, BucketEntry>();

  /** The answer of a replica that is one write behind. */
  before(key: string): BucketEntry | undefined {
    return this.#previous.get(key);
  }

  override write(
    key: string,
    value: Uint8Array | null,
    expected: number,
    writer: string,
  ): number | undefined {
    const newest = this.get(key);
    if (newest?.revision === expected) this.#previous.set(key, newest);
    return super.write(key, value, expected, writer);
  }

  /** The current contents, also after later writes. */
  view(): {
    get(key: string): BucketEntry | undefined;
    newestBelow(prefix: string): BucketEntry | undefined;
  } {
    const entries = new Map(this.entries);
    return {
      get: (key) => entries.get(key),
      newestBelow: (prefix) => newestOf(entries.values(), prefix),
    };
  }

  copy(): StoreCopy {
    return { revision: this.revision, entries: this.below('') };
  }

  putBack({ revision, entries }: StoreCopy): void {
    this.revision = revision;
    this.#generation++;
    this.#previous.clear();
    this.entries.clear();
    for (const entry of entries) this.entries.set(entry.key, entry);
  }

  /** Counts restores. Writes in flight at a restore do not arrive. */
  get generation(): number {
    return this.#generation;
  }

  /** Silently removes entries, without a marker. Returns them. */
  lose(matches: (key: string) => boolean): BucketEntry[] {
    const lost = [...this.entries.values()].filter(({ key }) => matches(key));
    for (const { key } of lost) {
      this.entries.delete(key);
      this.#previous.delete(key);
    }
    return lost;
  }

  newestBelow(prefix: string): BucketEntry | undefined {
    return newestOf(this.entries.values(), prefix);
  }
}

function newestOf(entries: Iterable<BucketEntry>, prefix: string): BucketEntry | undefined {
  let newest: BucketEntry | undefined;
  for (const entry of entries)
    if (entry.revision > (newest?.revision ?? 0) && entry.key.startsWith(prefix)) newest = entry;
  return newest;
}
