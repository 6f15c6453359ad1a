import { ErrorCode, NatsError } from 'nats';
import { type Cancel, systemClock } from '../../lib/clock.js';

/**
 * Timeout of one request to create a consumer. A consumer with one replica may be placed on a server that has just died.
 * Until the dead server is back, no server answers the request. The next request uses another name, because a consumer with
 * another name may be placed on another server.
 */
export const PLACEMENT_MS = 2_000;

/** Number of attempts to place a consumer. If one of three servers is dead, all attempts fail in one of 81 cases. */
export const PLACEMENTS = 4;

/**
 * Returns the outcome of a promise, if this outcome arrives in time.
 *
 * @throws NatsError `TIMEOUT` if the outcome is late. A late outcome is ignored.
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
