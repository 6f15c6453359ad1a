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
 * The machine's monotonic clock (`performance.now`), unaffected by changes of the wall clock.
 *
 * A timer that is late lets the sockets be read first: what has arrived meanwhile should be known before
 * anybody concludes from silence.
 */
export const systemClock: Clock = {
  now: () => performance.now(),
  at(atMs, callback) {
    let immediate: NodeJS.Immediate | undefined;
    const timer = setTimeout(
      () => {
        if (performance.now() - atMs > LATE_MS) immediate = setImmediate(callback);
        else callback();
      },
      Math.max(0, atMs - performance.now()),
    );
    return () => {
      clearTimeout(timer);
      clearImmediate(immediate);
    };
  },
};
