import { type Clock, systemClock } from '../lib/clock.js';
import type { Uncovered } from '../ports/facts.js';

/** How often a member looks, in milliseconds. */
const LOOK_EVERY_MS = 300_000;

/**
 * Looks now and every five minutes for messages that no partition takes, until the returned function is
 * called. Reports such messages unless the previous look found some too. After a failed look, the next look is as usual.
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
