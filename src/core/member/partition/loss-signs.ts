/**
 * Sequences that were skipped between two received messages. The skipped sequences belong to messages of other partitions, or to
 * lost messages.
 */
export interface Jump {
  /** The last sequence received before the skipped sequences, and the first sequence received after them. */
  from: number;
  to: number;
  /** Number of skipped sequences for which a loss was neither ruled out nor reported before. */
  skipped: number;
  /** True if a skipped message may have waited for a second or more. */
  isLong: boolean;
  /** True if only a wrong number of waiting messages could hide a loss. If this number is 0, the jump hides no loss. */
  isDoubtful: boolean;
}

/** Signs of a loss that have not been investigated yet. */
export interface LossSigns {
  /** The jumps in the order of their sequences. */
  jumps: Jump[];
  /** Number of messages that disappeared without being delivered. */
  fell: number;
}

/** No sign of a loss. */
export const NO_SIGNS: LossSigns = { jumps: [], fell: 0 };

/** The number of jumps that are kept. If there are more jumps, the oldest jumps are merged. */
const MOST_JUMPS = 100;

/** True if there is anything to investigate. */
export const isSign = ({ jumps, fell }: LossSigns): boolean => jumps.length > 0 || fell > 0;

/** Combines two sets of signs, of which the older one is given first. */
export function together(older: LossSigns, newer: LossSigns): LossSigns {
  return { jumps: atMost(MOST_JUMPS, [...older.jumps, ...newer.jumps]), fell: older.fell + newer.fell };
}

/** Adds a jump, which may happen for each message. The given signs must not be used afterwards. */
export function withJump({ jumps, fell }: LossSigns, jump: Jump): LossSigns {
  if (jumps.length === 0) return { jumps: [jump], fell };
  jumps.push(jump);
  // Merging is expensive, so it does not happen for each jump.
  return { jumps: jumps.length > 2 * MOST_JUMPS ? atMost(MOST_JUMPS, jumps) : jumps, fell };
}

/** Merges the oldest of too many jumps. */
function atMost(most: number, jumps: Jump[]): Jump[] {
  if (jumps.length <= most) return jumps;
  const oldest = jumps.splice(0, jumps.length - most + 1);
  jumps.unshift(
    oldest.reduce((first, second) => ({
      from: first.from,
      to: second.to,
      skipped: first.skipped + second.skipped,
      isLong: first.isLong || second.isLong,
      isDoubtful: first.isDoubtful && second.isDoubtful,
    })),
  );
  return jumps;
}

/** The signs that remain if no message waits. */
export function withoutDoubts(signs: LossSigns): LossSigns {
  if (signs.jumps.length === 0) return signs;
  return { ...signs, jumps: signs.jumps.filter(({ isDoubtful }) => !isDoubtful) };
}

/** Number of skipped sequences in all of these jumps. */
export const skippedIn = (jumps: readonly Jump[]): number =>
  jumps.reduce((sum, { skipped }) => sum + skipped, 0);
