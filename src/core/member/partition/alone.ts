/**
 * Lets only one cautious partition of a member at a time handle a message. If the process dies, the message that was being handled
 * is the suspect.
 */
export class Alone {
  #owner: object | undefined;
  readonly #waiting = new Set<() => void>();

  /** Gives the turn to `owner` and returns true, unless another partition has it. */
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

  /** Calls back once, when the turn is free again. */
  whenFree(resume: () => void): void {
    this.#waiting.add(resume);
  }
}
