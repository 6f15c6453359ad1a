/** A growing count, or an amount, over time: the newest last. */
export type Series = readonly { at: number; value: number }[];

/** How many values a series keeps: of what a rate is computed from, and of what is drawn over minutes. */
const CAPACITY = 60;
export const DRAWN_CAPACITY = 300;

/** The series with one more value. A count that falls has been started again, and so is its series. */
export function append(
  series: Series,
  at: number,
  value: number,
  kind: 'count' | 'amount',
  capacity = CAPACITY,
): Series {
  const last = series.at(-1);
  if (last && kind === 'count' && value < last.value) return [{ at, value }];
  if (last && at <= last.at) return series;
  return [...series.slice(-capacity + 1), { at, value }];
}

/**
 * Growth a second over about the last `spanMs`, or since the value before where that is older; null where the series is too short to tell. A rate is a mean over
 * the span: short enough to follow, long enough to read.
 */
export function ratePerSecond(series: Series, spanMs = 5_000): number | null {
  const last = series.at(-1);
  if (!last) return null;
  const within = series.findIndex((point) => last.at - point.at <= spanMs);
  const first = series[Math.min(within, series.length - 2)];
  if (!first || last.at - first.at < 200) return null;
  return ((last.value - first.value) * 1_000) / (last.at - first.at);
}

/** Whether an amount rises, falls or stays, by its last ten values; 5 % of change, and at least 20, count. */
export function direction(series: Series): 'rising' | 'falling' | 'steady' {
  const recent = series.slice(-10);
  const half = recent.length >> 1;
  if (half < 2) return 'steady';
  const mean = (points: Series) => points.reduce((sum, { value }) => sum + value, 0) / points.length;
  const [before, after] = [mean(recent.slice(0, half)), mean(recent.slice(-half))];
  const noise = Math.max(20, 0.05 * Math.max(before, after));
  return after - before > noise ? 'rising' : before - after > noise ? 'falling' : 'steady';
}
