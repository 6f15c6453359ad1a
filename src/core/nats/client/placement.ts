import { ErrorCode, NatsError } from 'nats';
import { type Cancel, systemClock } from '../../lib/clock.js';

/**
 * A consumer with one replica may be placed on a server that has just died: then no server answers until that
 * server is back. A request under another name gets another place, so no request waits longer than this.
 */
export const PLACEMENT_MS = 2_000;

/** How often another place is asked for: with one server of three dead, all fail once in 81 times. */
export const PLACEMENTS = 4;

/**
 * The promise's outcome, if it comes within the time.
 *
 * @throws NatsError `TIMEOUT` where it does not; what the promise does later is passed over.
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
      // Given up: no caller waits for it any more.
    });
  }
}
