/** How long a lag takes at a rate, in milliseconds, if no more messages arrive; null: nothing is handled, or not known. */
export function drainMs(lag: number | null, ratePerSecond: number | null): number | null {
  if (lag === 0) return 0;
  return lag === null || !ratePerSecond ? null : Math.round((lag / ratePerSecond) * 1_000);
}
