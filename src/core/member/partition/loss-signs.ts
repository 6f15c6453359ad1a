/** Sequences that were skipped between two received messages. They belong to messages of other partitions, or to lost messages. */
export interface Jump {
  /** The last sequence received before the skipped ones, and the first sequence received after them. */
  from: number;
  to: number;
  /** Number of skipped sequences for which a loss was neither ruled out nor reported before. */
  skipped: number;
  /** True if a skipped message may have waited for a second or more. */
  isLong: boolean;
}

/** Signs of a loss that have not been investigated yet. */
export interface LossSigns {
  /** In the order of their sequences. */
  jumps: readonly Jump[];
  /** Number of messages that disappeared without being delivered. */
  fell: number;
}

/** No sign of a loss. */
export const NO_SIGNS: LossSigns = { jumps: [], fell: 0 };

/** The maximum number of jumps that are kept. If there are more, the two oldest are merged. */
const MOST_JUMPS = 100;

/** True if there is anything to investigate. */
export const isSign = ({ jumps, fell }: LossSigns): boolean => jumps.length > 0 || fell > 0;

/** Combines two sets of signs, of which the older one is given first. */
export function together(older: LossSigns, newer: LossSigns): LossSigns {
  const jumps = [...older.jumps, ...newer.jumps];
  while (jumps.length > MOST_JUMPS) {
    const [first, second] = jumps;
    if (!first || !second) break;
    const [skipped, isLong] = [first.skipped + second.skipped, first.isLong || second.isLong];
    jumps.splice(0, 2, { from: first.from, to: second.to, skipped, isLong });
  }
  return { jumps, fell: older.fell + newer.fell };
}

/** Number of skipped sequences in all of these jumps. */
export const skippedIn = (jumps: readonly Jump[]): number =>
  jumps.reduce((sum, { skipped }) => sum + skipped, 0);
