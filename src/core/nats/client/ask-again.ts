import { ErrorCode, NatsError } from 'nats';
import { within } from './placement.js';

/** How long to wait for an answer before a request is repeated, in milliseconds. */
const ASK_AGAIN_MS = 5_000;

/**
 * Repeats a request until there is an answer, for at most `timeoutMs`. A request that was lost with its server is never answered. Use this
 * function only for requests that are safe to repeat.
 *
 * @throws the errors of `ask`; NatsError `TIMEOUT` if there is no answer in time.
 */
export async function askAgain<T>(ask: () => Promise<T>, timeoutMs = ASK_AGAIN_MS): Promise<T> {
  const giveUpAt = performance.now() + timeoutMs;
  for (;;) {
    const leftMs = Math.max(0, giveUpAt - performance.now());
    try {
      return await within(ask(), Math.min(leftMs, ASK_AGAIN_MS));
    } catch (error) {
      const isUnheard = error instanceof NatsError && error.code === ErrorCode.Timeout;
      if (!isUnheard || leftMs <= ASK_AGAIN_MS) throw error;
    }
  }
}
