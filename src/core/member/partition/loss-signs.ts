/**
 * Sequences that were skipped between two received messages. The skipped sequences belong to messages of other partitions, or to
 * lost messages.
 */
export interface Jump {
  /** The last sequence received before the jump (`from`), and the first sequence after it (`to`). */
  from: number;
  to: number;
  /** Number of skipped sequences that may belong to lost messages that were not reported yet. */
  skipped: number;
  /** True if a skipped message may have waited for a second or more. */
  isLong: boolean;
  /**
   * True if the jump can contain a loss only if the server's count of waiting messages is wrong. If no message waits, the jump contains no
   * loss.
   */
  isDoubtful: boolean;
}

/** Signs of a loss that have not been investigated yet. */
export interface LossSigns {
  /** The jumps, sorted by sequence. */
  jumps: Jump[];
  /** Number of messages that disappeared without being delivered. */
  fell: number;
}

/** No sign of a loss. */
export const NO_SIGNS: LossSigns = { jumps: [], fell: 0 };

/** The oldest jumps are merged until this number of jumps remains. */
const MOST_JUMPS = 100;

/** True if there is anything to investigate. */
export const isSign = ({ jumps, fell }: LossSigns): boolean => jumps.length > 0 || fell > 0;

/** Combines two sets of signs; the older set is given first. */
export function together(older: LossSigns, newer: LossSigns): LossSigns {
  return { jumps: atMost(MOST_JUMPS, [...older.jumps, ...newer.jumps]), fell: older.fell + newer.fell };
}

/** Adds a jump. For speed, changes the given signs unless they have no jump. They must not be used afterwards. */
export function withJump(signs: LossSigns, jump: Jump): LossSigns {
  if (signs.jumps.length === 0) return { jumps: [jump], fell: signs.fell };
  signs.jumps.push(jump);
  // Merging after each jump would be too expensive, so twice as many jumps can accumulate.
  if (signs.jumps.length > 2 * MOST_JUMPS) atMost(MOST_JUMPS, signs.jumps);
  return signs;
}

/** Merges the oldest jumps if there are more than `most`. */
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

/** The signs without doubtful jumps. */
export function withoutDoubts(signs: LossSigns): LossSigns {
  if (signs.jumps.length === 0) return signs;
  return { ...signs, jumps: signs.jumps.filter(({ isDoubtful }) => !isDoubtful) };
}

/** Total number of skipped sequences of all jumps. */
export const skippedIn = (jumps: readonly Jump[]): number =>
  jumps.reduce((sum, { skipped }) => sum + skipped, 0);
