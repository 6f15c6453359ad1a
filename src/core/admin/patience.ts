import type { Config } from '../config/config.js';
import { ANSWER_MS } from './thresholds.js';

/** How long to wait for the result of a request to a member, in milliseconds. */
export interface Patience {
  /** Time until the member accepts the request. */
  answerMs: number;
  /** Time until the request is done, including the drain timeout and a takeover. */
  waitMs: number;
  /** Time until the member has paused a partition. */
  restMs: number;
}

/** Computes the times of {@link Patience} from a configuration. */
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
