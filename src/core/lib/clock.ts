/** Cancels a timer. Has no effect after the timer has fired. */
export type Cancel = () => void;

/**
 * The only clock that decisions use. Its times are monotonic milliseconds since an arbitrary start. They are never compared between
 * processes. The simulator replaces this clock.
 */
export interface Clock {
  /** Monotonic milliseconds, with fractions. */
  now(): number;
  /** Calls `callback` once, at `atMs` on this clock or as soon as possible afterwards. */
  at(atMs: number, callback: () => void): Cancel;
}

/** A timer that fires this late shows that the process was stopped or its event loop was blocked. */
const LATE_MS = 50;

/**
 * The longest timer that Node supports, about 24.8 days. A longer timer fires after 1 ms
 * (https://nodejs.org/api/timers.html, "setTimeout"). Longer waits use several timers.
 */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * The machine's monotonic clock (`performance.now`), unaffected by changes of the wall clock.
 *
 * If a timer is late, sockets are read before its callback runs. Otherwise the callback would miss answers that have already arrived.
 */
export const systemClock: Clock = {
  now: () => performance.now(),
  at(atMs, callback) {
    let timer: NodeJS.Timeout | undefined;
    let immediate: NodeJS.Immediate | undefined;
    const arm = () => {
      const leftMs = Math.max(0, atMs - performance.now());
      timer = leftMs > LONGEST_TIMER_MS ? setTimeout(arm, LONGEST_TIMER_MS) : setTimeout(fire, leftMs);
    };
    const fire = () => {
      if (performance.now() - atMs > LATE_MS) immediate = setImmediate(callback);
      else callback();
    };
    arm();
    return () => {
      clearTimeout(timer);
      clearImmediate(immediate);
    };
  },
};

/** A clock whose timers can be ended all at once. A timer keeps a Node process running. */
export class EndingClock implements Clock {
  readonly #clock: Clock;
  readonly #timers = new Set<Cancel>();
  #isEnded = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now();
  }

  at(atMs: number, callback: () => void): Cancel {
    if (this.#isEnded) return () => {};
    const cancel = (): void => {
      this.#timers.delete(cancel);
      cancelTimer();
    };
    const cancelTimer = this.#clock.at(atMs, () => {
      this.#timers.delete(cancel);
      callback();
    });
    this.#timers.add(cancel);
    return cancel;
  }

  /** Cancels all timers. Later timers never fire. */
  end(): void {
    this.#isEnded = true;
    for (const cancel of this.#timers) cancel();
  }
}

/** Resolves after this time on a clock. */
export function sleep(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => void clock.at(clock.now() + ms, resolve));
}

/** Calls `callback` at this interval, until the returned function is called. */
export function every(clock: Clock, intervalMs: number, callback: () => void): Cancel {
  let cancel = clock.at(clock.now() + intervalMs, function again() {
    cancel = clock.at(clock.now() + intervalMs, again);
    callback();
  });
  return () => cancel();
}
