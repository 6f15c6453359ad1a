import { type Cancel, type Clock, systemClock } from '../clock.js';
import type { GroupMember } from '../group-member.js';

const LOOK_EVERY_MS = 100;
/** A member that owns nothing yet may be given something until then. */
const PATIENCE_MS = 2_000;

/**
 * Calls back once when a member has caught up: every partition that it owns was handled to its end at some
 * moment since it came here, or has halted for good, and nobody's partition is without an owner. What others
 * own is theirs to catch up with, and falls to those who stay.
 *
 * @returns stops looking.
 */
export function whenCaughtUp(
  member: Pick<GroupMember, 'partitions' | 'isSettled'>,
  callback: () => void,
  clock: Clock = systemClock,
): Cancel {
  const since = clock.now();
  let cancel: Cancel = () => {};
  const look = (): void => {
    const { partitions, isSettled } = member;
    const patient = partitions.length === 0 && clock.now() - since < PATIENCE_MS;
    const done = partitions.every(
      ({ caughtUp, state }) => state === 'halted' || (caughtUp && state === 'running'),
    );
    if (isSettled && !patient && done) callback();
    else cancel = clock.at(clock.now() + LOOK_EVERY_MS, look);
  };
  cancel = clock.at(clock.now() + LOOK_EVERY_MS, look);
  return () => cancel();
}
