/** A line of waiting callers. `open` releases all of them. */
export class WaitingLine {
  #promise: Promise<void> | undefined;
  #resolve: () => void = () => {};

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

  open(): void {
    if (this.#promise === undefined) return;
    this.#promise = undefined;
    this.#resolve();
  }
}
