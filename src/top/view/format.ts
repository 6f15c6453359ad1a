import { drainMs } from '../../core/lib/drain.js';
import { formatBytes, formatCount, formatDuration, formatRate } from '../../core/lib/units.js';
import type { Series } from '../model/series.js';

/** Bars from an eighth of a line to a whole line. */
export const BARS = '▁▂▃▄▅▆▇█';

/** Shown for an unknown value. */
export const UNKNOWN = '-';

const or =
  <T>(format: (value: T) => string) =>
  (value: T | null): string =>
    value === null ? UNKNOWN : format(value);

export const count = or(formatCount);
/** A rate with a fixed number of decimals. Otherwise the text beside it would move. */
export const rate = or((perSecond: number) =>
  perSecond < 99.95 ? `${perSecond.toFixed(1)}/s` : formatRate(perSecond),
);
export const duration = or(formatDuration);
/** A duration with a fixed number of decimals. */
export const steadyDuration = or((ms: number) => (ms < 9.95 ? `${ms.toFixed(1)} ms` : formatDuration(ms)));
export const bytes = or(formatBytes);

/** A count in few columns: `1,234`, `56.7k`, `8.9M`. */
export const shortCount = or((value: number): string => {
  if (value < 10_000) return formatCount(value);
  for (const [unit, size] of [
    ['G', 1e9],
    ['M', 1e6],
    ['k', 1e3],
  ] as const) {
    if (value >= size) return `${(value / size).toFixed(value < 100 * size ? 1 : 0)}${unit}`;
  }
  return formatCount(value);
});

/** A lag in few columns, with a mark if it is an estimate. */
export const aboutLag = (lag: number | null, isEstimate: boolean): string =>
  `${isEstimate && lag !== null ? '~' : ''}${shortCount(lag)}`;

/** Drain times below this value are not shown, in milliseconds. */
const SHORT_DRAIN_MS = 1_000;

/** The time to drain a lag, as text. `-` if it is very short or unknown. */
export function drain(lag: number | null, ratePerSecond: number | null): string {
  const ms = drainMs(lag, ratePerSecond);
  return ms !== null && ms < SHORT_DRAIN_MS ? UNKNOWN : duration(ms);
}

/** The last values as bars, scaled from the lowest to the highest value. */
export function sparkline(series: Series, width: number): string {
  const shown = series.slice(-width).map(({ value }) => value);
  if (shown.length < 2) return '';
  const [low, high] = [Math.min(...shown), Math.max(...shown)];
  // Noise is not magnified: a value that hardly changes is a flat line.
  const range = Math.max(high - low, high * 0.2);
  return shown
    .map((value) => BARS[range === 0 ? 0 : Math.min(7, Math.round(((value - low) / range) * 7))] ?? '')
    .join('');
}
