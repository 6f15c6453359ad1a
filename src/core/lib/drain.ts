/** How many milliseconds `lag` messages take if no more arrive; null if the rate is 0 or a value is unknown. */
export function drainMs(lag: number | null, ratePerSecond: number | null): number | null {
  if (lag === 0) return 0;
  return lag === null || !ratePerSecond ? null : Math.round((lag / ratePerSecond) * 1_000);
}
