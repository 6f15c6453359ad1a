import type { Clock } from '../lib/clock.js';
import { messageOf, NatspocError } from '../lib/errors.js';
import { inWords } from '../lib/in-words.js';
import { onAbort } from '../lib/on-abort.js';
import { withoutStop } from '../lib/text.js';
import type { PublishLimits } from './types.js';
import type { Waiter } from './window.js';

/** True if a signal or a time limits the wait. */
export const isLimited = ({ signal, timeoutMs }: PublishLimits): boolean =>
  signal !== undefined || timeoutMs !== undefined;

/**
 * Wraps a waiter. It stops waiting when the signal aborts or the time has passed.
 *
 * @param giveUp called at most once, while the message is not settled.
 * @throws NatspocError `usage` for invalid limits; `not-confirmed` if the signal has aborted.
 */
export function limited(
  waiter: Waiter,
  { signal, timeoutMs }: PublishLimits,
  clock: Clock,
  giveUp: (error: NatspocError) => void,
): Waiter {
  if (signal !== undefined && typeof signal?.addEventListener !== 'function')
    throw new NatspocError('usage', `signal: ${inWords(signal)} is not an AbortSignal.`);
  if (timeoutMs !== undefined && !(typeof timeoutMs === 'number' && timeoutMs > 0))
    throw new NatspocError(
      'usage',
      `timeoutMs: ${inWords(timeoutMs)} is not a number of milliseconds above 0.`,
    );
  const ends: (() => void)[] = [];
  const end = (): void => {
    for (const each of ends.splice(0)) each();
  };
  if (signal !== undefined) {
    const aborted = (): NatspocError =>
      new NatspocError('not-confirmed', `Publishing was aborted: ${withoutStop(messageOf(signal.reason))}.`, {
        cause: signal.reason,
      });
    if (signal.aborted) throw aborted();
    ends.push(onAbort(signal, () => giveUp(aborted())));
  }
  if (timeoutMs !== undefined) {
    const late = (): void =>
      giveUp(new NatspocError('not-confirmed', `No confirmation arrived within ${timeoutMs} ms.`));
    ends.push(clock.at(clock.now() + timeoutMs, late));
  }
  return {
    resolve: (confirmation) => {
      end();
      waiter.resolve(confirmation);
    },
    reject: (error) => {
      end();
      waiter.reject(error);
    },
  };
}
