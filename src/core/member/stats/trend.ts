/** The number of bytes in use at one time. All points of a series use the same clock. */
export interface UsePoint {
  atMs: number;
  bytes: number;
}

/** Whether the memory in use grows, and how fast; `unknown` while there are too few points. */
export type Trend = { kind: 'unknown' } | { kind: 'stable' } | { kind: 'growing'; bytesPerMinute: number };

/** The shortest time over which a slope is meaningful. */
const MIN_SPAN_MS = 60_000;
const MIN_POINTS = 4;
/** A smaller rise is never reported as a leak. */
const MIN_RISE_BYTES = 1_048_576;
const MINUTE_MS = 60_000;

/**
 * The median slope between all pairs of points (Theil-Sen), in bytes per millisecond. The median tolerates outliers in up to 29 % of the
 * points, such as a burst. The slope is 0 for fewer than two points.
 */
export function medianSlope(points: readonly UsePoint[]): number {
  const slopes: number[] = [];
  for (const [i, a] of points.entries()) {
    for (const b of points.slice(i + 1)) {
      if (b.atMs !== a.atMs) slopes.push((b.bytes - a.bytes) / (b.atMs - a.atMs));
    }
  }
  slopes.sort((a, b) => a - b);
  const middle = slopes.length >> 1;
  const [low = 0, high = 0] = slopes.length % 2 ? [slopes[middle], slopes[middle]] : slopes.slice(middle - 1);
  return (low + high) / 2;
}

/** The lowest point of each interval of `intervalMs`, in order of time. */
export function lowEnvelope(points: readonly UsePoint[], intervalMs: number): UsePoint[] {
  const lows = new Map<number, UsePoint>();
  for (const point of points) {
    const interval = Math.floor(point.atMs / intervalMs);
    const low = lows.get(interval);
    if (!low || point.bytes < low.bytes) lows.set(interval, point);
  }
  return [...lows.values()].sort((a, b) => a.atMs - b.atMs);
}

/**
 * Judges a series of low points by the smaller of two median slopes: of the whole series, and of its later half. Memory counts as growing
 * if, at this slope, it rises by more than 1 MiB and by more than the tolerance. `tolerance` is a share of the smallest point. A smaller
 * rise is normal for a garbage collector.
 */
export function judgeTrend(points: readonly UsePoint[], tolerance: number): Trend {
  const [first, last] = [points[0], points.at(-1)];
  if (!first || !last || points.length < MIN_POINTS || last.atMs - first.atMs < MIN_SPAN_MS) {
    return { kind: 'unknown' };
  }
  // Caches and compiled code stop growing, so the later half of the points does not rise. A leak also grows in the later half.
  const slope = Math.min(medianSlope(points), medianSlope(points.slice(points.length >> 1)));
  const base = Math.min(...points.map((point) => point.bytes));
  const rise = slope * (last.atMs - first.atMs);
  if (rise <= Math.max(base * tolerance, MIN_RISE_BYTES)) return { kind: 'stable' };
  return { kind: 'growing', bytesPerMinute: slope * MINUTE_MS };
}
