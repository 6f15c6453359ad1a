/** The name of the writer in all writes of operators. It distinguishes these writes from writes of members. */
export const OPERATOR = 'operator';

/** Unreadable entries, and the epoch of their partition at the last damage. */
export class Damage {
  readonly #unreadable = new Set<string>();
  readonly #under = new Map<string, number>();

  /** Records a write of an entry. `epoch` is the newest epoch of the entry's partition. */
  written(key: string, isReadable: boolean, epoch: number): void {
    if (isReadable) this.#unreadable.delete(key);
    else {
      this.#unreadable.add(key);
      this.#under.set(key, epoch);
    }
  }

  isUnreadable(key: string): boolean {
    return this.#unreadable.has(key);
  }

  /** True if the entry was last damaged under this epoch. */
  wasUnder(key: string, epoch: number): boolean {
    return this.#under.get(key) === epoch;
  }

  /** True if the entry has been unreadable since before this epoch. */
  isBehind(key: string, epoch: number): boolean {
    return this.#unreadable.has(key) && epoch > (this.#under.get(key) ?? 0);
  }
}
