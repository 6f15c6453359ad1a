/** Runs tasks that occupy a place on the server: together as long as there is room, else one at a time. */
export class Turns {
  /** The tasks that occupy a place. */
  readonly #running = new Set<Promise<unknown>>();
  #last: Promise<unknown> = Promise.resolve();

  /** Runs a task at once. It passes the promise to `until` after which its place is free. */
  together<T>(task: (until: (free: Promise<unknown>) => void) => Promise<T>): Promise<T> {
    let free: Promise<unknown> | undefined;
    const result = task((promise) => {
      free = promise;
    });
    const running: Promise<void> = result
      .catch(() => {})
      .then(() => free)
      .then(() => {
        this.#running.delete(running);
      });
    this.#running.add(running);
    return result;
  }

  /** Runs a task when no other task occupies a place. */
  alone<T>(task: (until: (free: Promise<unknown>) => void) => Promise<T>): Promise<T> {
    const turn = this.#last.then(async () => {
      await Promise.all(this.#running);
      return this.together(task);
    });
    this.#last = turn.catch(() => {});
    return turn;
  }
}
