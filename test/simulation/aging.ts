import type { World } from './world.js';

/**
 * An aging stream drops messages of this age, in milliseconds. All faults together may keep a partition without an owner for half of this
 * time, or keep its owner from the stream.
 */
export const MAX_AGE_MS = 150_000;
const EVERY_MS = 1_000;

/** In an aging stream, every third partition gets no messages until the run's end. */
export const isIdle = (partition: number): boolean => partition % 3 === 0;

/** Drops old messages regularly, but only committed ones. So no member may report a loss. */
export function age({ server: { log }, timeline, ledger }: World): void {
  let upTo = 0;
  const isOver = (sequence: number): boolean => {
    const message = log.message(sequence);
    if (!message || timeline.now - message.at < MAX_AGE_MS) return false;
    return sequence <= ledger.position(message.partition).sequence;
  };
  const drop = (): void => {
    while (isOver(upTo + 1)) upTo++;
    for (const partition of log.partitions.keys()) log.drop(partition, upTo);
    timeline.after(EVERY_MS, drop);
  };
  log.maxAgeMs = MAX_AGE_MS;
  drop();
}
