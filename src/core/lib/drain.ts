/** The time to handle a lag at a rate, in milliseconds, if no more messages arrive; null if the rate is 0 or a value is unknown. */
export function drainMs(lag: number | null, ratePerSecond: number | null): number | null {
  if (lag === 0) return 0;
  return lag === null || !ratePerSecond ? null : Math.round((lag / ratePerSecond) * 1_000);
}
