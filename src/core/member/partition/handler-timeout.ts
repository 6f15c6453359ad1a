import type { Clock } from '../../lib/clock.js';
import { formatDuration } from '../../lib/units.js';
import type { HandlerCall } from './handler-call.js';

/** After its signal was aborted a handler may take this long to settle before things go on without it. */
export const ABORT_GRACE_MS = 250;

/** What a call ended with: nothing where it succeeded. */
export type CallEnd = { error: unknown } | undefined;

/**
 * Follows a call that takes its time. It ends once: by settling, or by being declared failed (a timeout, a promise
 * that it forgot) and not listening to its signal for a moment. A call that was declared failed has failed, whatever
 * it returns.
 *
 * @param timeoutMs it is declared failed after this; undefined: no limit.
 */
export function followCall(
  call: HandlerCall,
  result: Promise<unknown>,
  clock: Clock,
  timeoutMs: number | undefined,
  ended: (end: CallEnd) => void,
): void {
  const cancels: (() => void)[] = [];
  let over = false;
  const end = (how: CallEnd): void => {
    if (over) return;
    over = true;
    for (const cancel of cancels) cancel();
    call.settled();
    ended(call.failure ?? how);
  };
  call.onFailure(() => {
    cancels.push(clock.at(clock.now() + ABORT_GRACE_MS, () => end(undefined)));
  });
  if (timeoutMs !== undefined) {
    const overdue = () => call.fail(new Error(`no result within ${formatDuration(timeoutMs)}`));
    cancels.push(clock.at(clock.now() + timeoutMs, overdue));
  }
  result.then(
    () => end(undefined),
    (error: unknown) => end({ error }),
  );
}
