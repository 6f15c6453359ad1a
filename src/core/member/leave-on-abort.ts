import { onAbort } from '../lib/on-abort.js';
import type { MemberEngine } from './engine/engine.js';

/** Makes a member leave when the program's signal aborts. The signal may outlive many members, so the listener is removed. */
export function leaveOnAbort(
  member: Pick<MemberEngine, 'leave' | 'closed'>,
  signal: AbortSignal | undefined,
): void {
  // The member's `closed` reports an error.
  const leave = (): void => void member.leave().catch(() => {});
  const forget = onAbort(signal, leave);
  if (signal?.aborted) leave();
  member.closed.then(forget, forget);
}
