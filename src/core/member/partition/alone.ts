/** Lets only one cautious partition of a member at a time handle a message. If the process dies, that message is the suspect. */
export class Alone {
  #owner: object | undefined;
  readonly #waiting = new Set<() => void>();

  /**
   * True if no other partition is handling a message cautiously. In that case `owner` gets the turn, and no other partition may handle
   * a message cautiously until `owner` gives the turn back.
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

  /** Calls back once, when the turn is free again. A callback that already waits is not added again. */
  whenFree(resume: () => void): void {
    this.#waiting.add(resume);
  }
}
