import type { PositionRecord } from './position-records.js';

/** From this number of deaths on, an owner tries one message at a time, and records which message it tries. */
const cautiousFrom = (maxCrashes: number): number => Math.min(2, maxCrashes - 1);

/** True if enough owners have died at a position. The next owner then has to find the message that causes the deaths. */
export const needsCaution = (crashes: number, maxCrashes: number): boolean =>
  crashes >= cautiousFrom(maxCrashes);

/** The fields of a position that count deaths of owners. */
export type Crashes = Pick<PositionRecord, 'crashes' | 'suspect'>;

/**
 * Counts how many owners in a row died at a position or shortly after it. A cautious owner records the message that it
 * tries. Its death counts only if a message is recorded, and only for that message.
 *
 * @param died true if the owner that wrote the position has died.
 */
export function crashesAt(
  { crashes = 0, trying, suspect }: Crashes & Pick<PositionRecord, 'trying'>,
  died: boolean,
  maxCrashes: number,
): Crashes {
  if (!died) return { crashes, suspect };
  if (trying === undefined)
    return needsCaution(crashes, maxCrashes) ? { crashes, suspect } : { crashes: crashes + 1 };
  const before = suspect === undefined || suspect === trying ? crashes : 0;
  // With a new suspect, the count restarts at the number from which owners are cautious.
  return { crashes: Math.max(before, cautiousFrom(maxCrashes) - 1) + 1, suspect: trying };
}

/**
 * The deaths that still count after the position has moved, while some messages of the dead owners are not passed yet.
 * They make the next owner cautious too, even after a handover. No later message is known to have caused a death. So the
 * suspect becomes the message at `after`, which is already handled.
 *
 * @param after the position at which the deaths were counted.
 */
export const carriedOver = ({ crashes = 0 }: Crashes, after: number, maxCrashes: number): Crashes =>
  crashes > 0 && needsCaution(crashes, maxCrashes)
    ? { crashes: Math.max(1, cautiousFrom(maxCrashes)), suspect: Math.max(1, after) }
    : { crashes };

/** The fields to record; empty if there was no death. */
export const crashFields = ({ crashes = 0, suspect }: Crashes): Crashes =>
  crashes > 0 ? { crashes, ...(suspect !== undefined && { suspect }) } : {};
