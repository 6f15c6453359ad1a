import type { Config } from '../config/config.js';

/** How long members have to answer for themselves, milliseconds. */
export const ANSWER_MS = 500;

/** How long to wait for what was asked of a member, milliseconds. */
export interface Patience {
  /** Until it says that it takes the order. */
  answerMs: number;
  /** Until what it was asked for is done: it may drain for as long as it is told to, then the next owner has to be there. */
  waitMs: number;
  /** Until it rests where it was asked to pause. */
  restMs: number;
}

/** The waits that follow from a configuration. */
export function patienceOf({
  timeoutMs,
  drainTimeoutMs,
  ttlMs,
}: Pick<Config, 'timeoutMs' | 'drainTimeoutMs' | 'ttlMs'>): Patience {
  return {
    answerMs: Math.max(ANSWER_MS, timeoutMs / 2),
    waitMs: drainTimeoutMs + ttlMs,
    restMs: drainTimeoutMs + timeoutMs,
  };
}
