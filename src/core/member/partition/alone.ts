/**
 * Lets one cautious partition of a member at a time handle a message: if the process dies, that message was
 * the cause.
 */
export class Alone {
  #owner: object | undefined;
  readonly #waiting = new Set<() => void>();

  /**
   * True if no other partition handles a message cautiously. Then no other partition may, until `owner` gives the
   * turn back.
   */
  take(owner: object): boolean {
    this.#owner ??= owner;
    return this.#owner === owner;
  }

  giveBack(owner: object): void {
    if (this.#owner !== owner) return;
    this.#owner = undefined;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resume of waiting) resume();
  }

  /** Calls back once, when the turn is free again. The same callback waits only once. */
  whenFree(resume: () => void): void {
    this.#waiting.add(resume);
  }
}
