/**
 * How many more messages may be taken up, over all partitions of a member: for consumers that stop after an
 * exact number.
 */
export class Quota {
  #left: number;
  readonly #waiting = new Set<() => void>();

  constructor(messages: number) {
    this.#left = messages;
  }

  /** Takes one message's worth, if there is any. */
  take(): boolean {
    if (this.#left <= 0) return false;
    this.#left--;
    return true;
  }

  /** Gives one back: the message that it was taken for will not be handled here. */
  giveBack(): void {
    this.#left++;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resume of waiting) resume();
  }

  /** Calls back once, when something was given back. The same callback waits only once. */
  whenAny(resume: () => void): void {
    this.#waiting.add(resume);
  }
}
