import { type Clock, systemClock } from '../lib/clock.js';
import type { Uncovered } from '../ports/facts.js';

/** Interval between checks, in milliseconds. */
const LOOK_EVERY_MS = 300_000;

/**
 * Checks now and every five minutes for messages that belong to no partition. The returned function ends the checks. Reports messages only
 * if the previous check found none. A failed check is ignored.
 */
export function keepLookingForUncovered(
  look: () => Promise<Uncovered | undefined>,
  tell: (found: Uncovered) => void,
  clock: Clock = systemClock,
): () => void {
  let stopped = false;
  let cancel = (): void => {};
  let isTold = false;
  const run = async (): Promise<void> => {
    const found = await look().catch(() => null);
    if (stopped) return;
    if (found && !isTold) tell(found);
    if (found !== null) isTold = found !== undefined;
    cancel = clock.at(clock.now() + LOOK_EVERY_MS, () => void run());
  };
  void run();
  return () => {
    stopped = true;
    cancel();
  };
}
