import { type Cancel, type Clock, systemClock } from '../../core/lib/clock.js';
import type { GroupMember } from '../../core/member/group-member.js';

const LOOK_EVERY_MS = 100;
/** How long a member without partitions waits for its first partitions. */
const PATIENCE_MS = 2_000;

/**
 * Calls back once, when a member has caught up: every partition of the group has an owner, and the member has finished its own partitions.
 * A partition is finished if it is halted, if it was handled up to `end`, or if at some moment none of its messages waited.
 *
 * @param end the last stream sequence that must be handled.
 * @returns a function that cancels the callback.
 */
export function whenCaughtUp(
  member: Pick<GroupMember, 'partitions' | 'isSettled'>,
  end: number,
  callback: () => void,
  clock: Clock = systemClock,
): Cancel {
  const since = clock.now();
  let cancel: Cancel = () => {};
  const look = (): void => {
    const { partitions, isSettled } = member;
    const patient = partitions.length === 0 && clock.now() - since < PATIENCE_MS;
    const done = partitions.every(
      ({ caughtUp, covered, position, state }) =>
        state === 'halted' || (state === 'running' && (caughtUp || Math.max(position, covered) >= end)),
    );
    if (isSettled && !patient && done) callback();
    else cancel = clock.at(clock.now() + LOOK_EVERY_MS, look);
  };
  cancel = clock.at(clock.now() + LOOK_EVERY_MS, look);
  return () => cancel();
}
