import { ErrorCode, NatsError } from 'nats';
import { type Cancel, systemClock } from '../../lib/clock.js';
import type { NatsHandles } from './handles.js';

/**
 * Timeout, in milliseconds, of one request to create a consumer. The cluster may place the consumer on a server that has
 * just died. Then the request gets no answer. The next request uses another name, which can place the consumer on
 * another server.
 */
export const PLACEMENT_MS = 2_000;

/** Number of attempts to place a consumer. If one of three servers is dead, all attempts fail in one of 81 cases. */
export const PLACEMENTS = 4;

/**
 * Waits for a promise, but at most `timeoutMs`.
 *
 * @throws NatsError `TIMEOUT` if the promise is late.
 */
export async function within<T>(promise: Promise<T>, timeoutMs: number, clock = systemClock): Promise<T> {
  let cancel: Cancel | undefined;
  const late = new Promise<never>((_, reject) => {
    cancel = clock.at(clock.now() + timeoutMs, () => reject(NatsError.errorForCode(ErrorCode.Timeout)));
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    cancel?.();
    promise.catch(() => {
      // No caller waits for this outcome any more.
    });
  }
}

/**
 * Waits for an answer, but at most {@link NatsHandles.answerMs}.
 *
 * @throws NatsError `TIMEOUT` if the answer is late.
 */
export const soon = <T>({ answerMs, clock }: NatsHandles, answer: Promise<T>): Promise<T> =>
  answerMs === undefined ? answer : within(answer, answerMs, clock);
