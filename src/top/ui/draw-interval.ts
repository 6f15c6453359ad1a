/** The shortest interval between two drawings of figures, in milliseconds: about one polling round. */
const EVERY_MS = 950;
/** Drawing figures should take at most this share of the time. So slow drawings are less frequent. */
const MOST_SHARE = 0.025;
/** The longest interval between two drawings of figures, in milliseconds. */
const AT_LEAST_EVERY_MS = 2_000;

/**
 * The interval at which figures are drawn, in milliseconds.
 *
 * @param tookMs how long the last drawing took, in milliseconds
 */
export const figuresEveryMs = (tookMs: number): number =>
  Math.max(EVERY_MS, Math.min(tookMs / MOST_SHARE, AT_LEAST_EVERY_MS));
