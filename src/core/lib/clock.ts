/** Cancels a timer; harmless when it has already fired. */
export type Cancel = () => void;

/**
 * The only time that decides anything: monotonic, local, in milliseconds from an arbitrary start. Never
 * compared between processes. The simulator substitutes a virtual one.
 */
export interface Clock {
  /** Monotonic milliseconds, with fractions. */
  now(): number;
  /** Calls `callback` once, at `atMs` of this clock or as soon after as possible. */
  at(atMs: number, callback: () => void): Cancel;
}

/** A timer that fires this much after its time means that the process was stopped or its loop blocked. */
const LATE_MS = 50;

/**
 * Node's own bound, some 24.8 days: a longer timer fires after 1 ms (https://nodejs.org/api/timers.html,
 * "setTimeout"). Longer waits are made of several.
 */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * The machine's monotonic clock (`performance.now`), unaffected by changes of the wall clock.
 *
 * A timer that is late lets the sockets be read first: what has arrived meanwhile should be known before
 * anybody concludes from silence.
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

/** Resolves after this time on a clock. */
export function sleep(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => void clock.at(clock.now() + ms, resolve));
}
