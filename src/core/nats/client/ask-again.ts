import { ErrorCode, NatsError } from 'nats';
import { within } from './placement.js';

/** A question of which nothing is heard for this long is asked again, milliseconds: what the client waits by default. */
const ASK_AGAIN_MS = 5_000;

/**
 * Asks until there is an answer, for `timeoutMs` at most. A question that got lost with its server is never answered,
 * no matter how long the client waits. Only for requests that may be repeated.
 *
 * @throws what `ask` throws, and NatsError `TIMEOUT` in the end.
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
