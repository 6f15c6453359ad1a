/** Figures are drawn once per polling round. */
const EVERY_MS = 950;
/** On a large screen of a large group they are drawn less often, so that drawing takes at most this share of the time, */
const MOST_SHARE = 0.025;
/** They are drawn at least this often. */
const AT_LEAST_EVERY_MS = 2_000;

/**
 * How often figures are drawn, in milliseconds.
 *
 * @param tookMs how long the last drawing took, in milliseconds
 */
export const figuresEveryMs = (tookMs: number): number =>
  Math.max(EVERY_MS, Math.min(tookMs / MOST_SHARE, AT_LEAST_EVERY_MS));
