import type { BucketEntry } from '../protocol/entries.js';

/** The content of a bucket on its leader: the newest entry of each key. */
export class KeyValues {
  protected revision = 0;
  protected readonly entries = new Map<string, BucketEntry>();
  readonly #observers = new Set<(entry: BucketEntry, writer: string) => void>();

  /** Calls `observer` for each applied write, until the returned function is called. */
  observe(observer: (entry: BucketEntry, writer: string) => void): () => void {
    this.#observers.add(observer);
    return () => this.#observers.delete(observer);
  }

  /** The newest entry of a key, deletion markers included. */
  get(key: string): BucketEntry | undefined {
    return this.entries.get(key);
  }

  /**
   * Applies a write if `expected` is the revision of the key's newest entry, or 0 if there is none. Returns the new revision; undefined
   * after a conflict.
   */
  write(key: string, value: Uint8Array | null, expected: number, writer: string): number | undefined {
    if ((this.entries.get(key)?.revision ?? 0) !== expected) return undefined;
    const entry: BucketEntry = { key, revision: ++this.revision, value };
    this.entries.set(key, entry);
    for (const observer of this.#observers) observer(entry, writer);
    return entry.revision;
  }

  /** The newest entry of each key with the prefix, in the order of writes. */
  below(prefix: string): BucketEntry[] {
    const found: BucketEntry[] = [];
    for (const entry of this.entries.values()) if (entry.key.startsWith(prefix)) found.push(entry);
    return found.sort((a, b) => a.revision - b.revision);
  }
}
