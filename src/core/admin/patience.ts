import type { Config } from '../config/config.js';
import { ANSWER_MS } from './thresholds.js';

/** How long to wait for the result of a request to a member, in milliseconds. */
export interface Patience {
  /** Until the member accepts the request. */
  answerMs: number;
  /** Until the request is done: the drain timeout, plus time for the next owner. */
  waitMs: number;
  /** Until the member has paused a partition. */
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
