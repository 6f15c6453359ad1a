/** A scheduled event. `run` is null if it was cancelled. */
export interface Scheduled {
  readonly at: number;
  readonly order: number;
  run: (() => void) | null;
}

/**
 * Virtual time in milliseconds, and the scheduled events in a binary heap. Events at the same time run in the order of scheduling. In the
 * simulator, this is the true time, which no member sees.
 */
export class Timeline {
  now = 0;
  #order = 0;
  readonly #heap: Scheduled[] = [];

  at(at: number, run: () => void): Scheduled {
    const scheduled: Scheduled = { at: Math.max(at, this.now), order: this.#order++, run };
    this.#push(scheduled);
    return scheduled;
  }

  after(delayMs: number, run: () => void): Scheduled {
    return this.at(this.now + delayMs, run);
  }

  /** Advances to the next event and returns it. Returns undefined if no event is due by `until`. */
  next(until = Number.POSITIVE_INFINITY): (() => void) | undefined {
    for (let top = this.#heap[0]; top && top.at <= until; top = this.#heap[0]) {
      this.#pop();
      if (top.run === null) continue;
      this.now = top.at;
      return top.run;
    }
    return undefined;
  }

  #push(item: Scheduled): void {
    const heap = this.#heap;
    let i = heap.length;
    heap.push(item);
    while (i > 0) {
      const up = (i - 1) >> 1;
      const parent = heap[up] as Scheduled;
      if (parent.at < item.at || (parent.at === item.at && parent.order < item.order)) break;
      heap[i] = parent;
      i = up;
    }
    heap[i] = item;
  }

  #pop(): Scheduled | undefined {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop();
    if (!top || !last || heap.length === 0) return top;
    let i = 0;
    for (let child = 1; child < heap.length; child = 2 * i + 1) {
      let least = heap[child] as Scheduled;
      const right = heap[child + 1];
      if (right && (right.at < least.at || (right.at === least.at && right.order < least.order))) {
        least = right;
        child++;
      }
      if (last.at < least.at || (last.at === least.at && last.order < least.order)) break;
      heap[i] = least;
      i = child;
    }
    heap[i] = last;
    return top;
  }
}
