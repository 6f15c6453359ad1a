/**
 * The number of messages that a member may still start to handle, in all partitions together. Used by members that stop
 * after an exact number of messages.
 */
export class Quota {
  #left: number;
  readonly #waiting = new Set<() => void>();

  constructor(messages: number) {
    this.#left = messages;
  }

  /** Takes one message from the quota; false if the quota is used up. */
  take(): boolean {
    if (this.#left <= 0) return false;
    this.#left--;
    return true;
  }

  /** Returns one message to the quota, because this member will not handle the message. */
  giveBack(): void {
    this.#left++;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resume of waiting) resume();
  }

  /** Calls back once, when a message has been returned to the quota. */
  whenAny(resume: () => void): void {
    this.#waiting.add(resume);
  }
}
