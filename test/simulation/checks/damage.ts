/** The writer of all writes by operators. No member has this name. */
export const OPERATOR = 'operator';

/** The unreadable entries. For each, the epoch of its partition when it was last damaged. */
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
