/** How many calls of handlers a member may run at the same time, in all partitions. They take turns. */
export class Slots {
  #free: number;
  readonly #waiting = new Set<() => void>();

  constructor(calls: number) {
    this.#free = calls;
  }

  /** True if a call may start. */
  get hasRoom(): boolean {
    return this.#free > 0;
  }

  /** A call runs. */
  take(): void {
    this.#free--;
  }

  /** A call has ended. */
  giveBack(): void {
    this.#free++;
    for (const resume of this.#waiting) {
      if (!this.hasRoom) return;
      this.#waiting.delete(resume);
      resume();
    }
  }

  /** Calls back once, when there is room, after those that wait already. The same callback waits only once. */
  whenRoom(resume: () => void): void {
    this.#waiting.add(resume);
  }
}
