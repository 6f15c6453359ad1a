import { ErrorCode, NatsError } from 'nats';
import type { Config } from '../../config/config.js';
import { systemClock } from '../../lib/clock.js';
import { isUnavailable } from './outcome.js';
import { within } from './placement.js';

/** Interval at which a request without an answer is repeated, in milliseconds. */
const ASK_AGAIN_MS = 500;
/** How long a request is repeated by default, in milliseconds. */
const PATIENCE_MS = 5_000;
/** How long a starting program waits for a stream without a leader, in milliseconds. An election takes up to 9 s. */
const START_MS = 15_000;

/**
 * How long a program that is starting waits for its stream and bucket, in milliseconds. A timeout that the user has set
 * replaces this time.
 */
export const startPatienceMs = ({ timeoutMs, given }: Pick<Config, 'timeoutMs' | 'given'>): number =>
  given.has('timeoutMs') ? timeoutMs : Math.max(timeoutMs, START_MS);

/**
 * Repeats a request until there is an answer, for at most `timeoutMs`. While a stream has no leader, a request about it
 * is lost: it is not answered after the election either. So the request is repeated, and an answer to any of the requests
 * counts. Use this function only for requests that are safe to repeat.
 *
 * @throws the errors of `ask`; NatsError `TIMEOUT` if there is no answer in time.
 */
export async function askAgain<T>(
  ask: () => Promise<T>,
  timeoutMs = PATIENCE_MS,
  clock = systemClock,
): Promise<T> {
  const giveUpAt = clock.now() + timeoutMs;
  const asked: Promise<T>[] = [];
  let unavailable: unknown;
  const awaitAnswer = (error: unknown): Promise<never> => {
    if (isUnavailable(error)) unavailable = error;
    else if (!isUnheard(error)) throw error;
    return new Promise(() => {});
  };
  for (;;) {
    asked.push(ask().catch(awaitAnswer));
    const leftMs = Math.max(0, giveUpAt - clock.now());
    try {
      return await within(Promise.race(asked), Math.min(leftMs, ASK_AGAIN_MS), clock);
    } catch (error) {
      if (!isUnheard(error)) throw error;
      if (leftMs <= ASK_AGAIN_MS) throw unavailable ?? error;
    }
  }
}

const isUnheard = (error: unknown): boolean => error instanceof NatsError && error.code === ErrorCode.Timeout;
