/** How the writes of people are told from those of members. */
export const OPERATOR = 'operator';

/** Which entries nobody can read, and under which epoch of their partition each was damaged last. */
export class Damage {
  readonly #unreadable = new Set<string>();
  readonly #under = new Map<string, number>();

  /** An entry was written; `epoch`: the newest of its partition. */
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

  /** It was damaged under this epoch. */
  wasUnder(key: string, epoch: number): boolean {
    return this.#under.get(key) === epoch;
  }

  /** It is unreadable since before this epoch. */
  isBehind(key: string, epoch: number): boolean {
    return this.#unreadable.has(key) && epoch > (this.#under.get(key) ?? 0);
  }
}
