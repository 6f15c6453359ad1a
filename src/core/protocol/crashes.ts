import type { PositionRecord } from './position-records.js';

/** From this number of deaths on, an owner tries one message at a time, and records which. */
const cautiousFrom = (maxCrashes: number): number => Math.min(2, maxCrashes - 1);

/** True if so many owners have died here that the next one must find the message that kills them. */
export const needsCaution = (crashes: number, maxCrashes: number): boolean =>
  crashes >= cautiousFrom(maxCrashes);

/** What a position says about owners that died. */
export type Crashes = Pick<PositionRecord, 'crashes' | 'suspect'>;

/**
 * The owners in a row that died at a position or shortly after it, as its next owner counts them. A cautious owner recorded the
 * message that it tried: its death counts only if a message was recorded, and only for that message.
 *
 * @param died the last owner has died: its lease was claimed.
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
  // Deaths before an earlier message count together as one less than the number that makes an owner cautious.
  return { crashes: Math.max(before, cautiousFrom(maxCrashes) - 1) + 1, suspect: trying };
}

/**
 * What remains of the count when an owner has moved the position, until it is past the messages that its
 * predecessors were handling. The next owner is as cautious, even after a handover. The suspect is now an
 * earlier message: no later message is known to have ended an owner.
 *
 * @param after the position at which it was counted.
 */
export const carriedOver = ({ crashes = 0 }: Crashes, after: number, maxCrashes: number): Crashes =>
  crashes > 0 && needsCaution(crashes, maxCrashes)
    ? { crashes: Math.max(1, cautiousFrom(maxCrashes)), suspect: Math.max(1, after) }
    : { crashes };

/** As far as they are recorded. */
export const crashFields = ({ crashes = 0, suspect }: Crashes): Crashes =>
  crashes > 0 ? { crashes, ...(suspect !== undefined && { suspect }) } : {};
