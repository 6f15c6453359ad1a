import { type Cancel, type Clock, systemClock } from '../../core/lib/clock.js';
import type { GroupMember } from '../../core/member/group-member.js';

const LOOK_EVERY_MS = 100;
/** A member that owns nothing yet may be given something until then. */
const PATIENCE_MS = 2_000;

/**
 * Calls back once when a member has caught up: every partition of the group has an owner, and each that this member
 * owns is handled up to `end`, or was handled to its own end at some moment, or has halted for good. What others own
 * is theirs to catch up with; where they end, it falls to those who stay.
 *
 * @param end the last stream sequence that has to be handled: what is stored later need not be, so that a busy stream
 *   lets the member come to an end.
 * @returns stops looking.
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
      ({ caughtUp, position, state }) =>
        state === 'halted' || (state === 'running' && (caughtUp || position >= end)),
    );
    if (isSettled && !patient && done) callback();
    else cancel = clock.at(clock.now() + LOOK_EVERY_MS, look);
  };
  cancel = clock.at(clock.now() + LOOK_EVERY_MS, look);
  return () => cancel();
}
