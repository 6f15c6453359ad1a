import type { Clock } from '../../lib/clock.js';
import { formatDuration } from '../../lib/units.js';
import type { HandlerCall } from './handler-call.js';

/** How long a handler may take to end after its signal was aborted, in milliseconds. */
export const ABORT_GRACE_MS = 250;

/** The error of a call; undefined if it succeeded. */
export type CallEnd = { error: unknown } | undefined;

/**
 * Follows an asynchronous call until it settles. If the call was declared failed, it ends at most {@link ABORT_GRACE_MS} later. Its result
 * then no longer counts.
 *
 * @param timeoutMs the call is declared failed after this time; undefined: no limit.
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
