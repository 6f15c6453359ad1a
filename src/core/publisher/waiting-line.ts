/** A promise that can be awaited repeatedly: `open` releases all callers that wait at that moment. */
export class WaitingLine {
  #promise: Promise<void> | undefined;
  #resolve: () => void = () => {};

  /** True while a caller waits. */
  get isAwaited(): boolean {
    return this.#promise !== undefined;
  }

  /** Resolves at the next `open`. */
  wait(): Promise<void> {
    this.#promise ??= new Promise((resolve) => {
      this.#resolve = resolve;
    });
    return this.#promise;
  }

  /** Releases all waiting callers, if any. */
  open(): void {
    if (this.#promise === undefined) return;
    this.#promise = undefined;
    this.#resolve();
  }
}
