/** Values of a counter or an amount over time, the newest last. */
export type Series = readonly { at: number; value: number }[];

/** Maximum number of values in a series from which a rate is computed. */
const CAPACITY = 60;
/** Maximum number of values in a series that is drawn: some minutes of polling. */
export const DRAWN_CAPACITY = 300;

/** The series with one more value. If a counter falls, it was restarted, so its series starts again. */
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
 * Growth per second over about the last `spanMs`; null if the series is too short. If the previous value is older than `spanMs`, the growth
 * counts from there.
 */
export function ratePerSecond(series: Series, spanMs = 5_000): number | null {
  const last = series.at(-1);
  if (!last) return null;
  const within = series.findIndex((point) => last.at - point.at <= spanMs);
  const first = series[Math.min(within, series.length - 2)];
  if (!first || last.at - first.at < 200) return null;
  return ((last.value - first.value) * 1_000) / (last.at - first.at);
}

/** Whether an amount rises, falls or stays the same over its last ten values. Changes below 5 %, or below 20, are ignored. */
export function direction(series: Series): 'rising' | 'falling' | 'steady' {
  const recent = series.slice(-10);
  const half = recent.length >> 1;
  if (half < 2) return 'steady';
  const mean = (points: Series) => points.reduce((sum, { value }) => sum + value, 0) / points.length;
  const [before, after] = [mean(recent.slice(0, half)), mean(recent.slice(-half))];
  const noise = Math.max(20, 0.05 * Math.max(before, after));
  return after - before > noise ? 'rising' : before - after > noise ? 'falling' : 'steady';
}
