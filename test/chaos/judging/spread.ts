/** A summary of figures. */
export interface Spread {
  count: number;
  min: number;
  median: number;
  p99: number;
  max: number;
}

/** The spread of the figures, in whole numbers. There must be at least one figure. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (q: number): number =>
    Math.round(sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? Number.NaN);
  return { count: sorted.length, min: at(0), median: at(0.5), p99: at(0.99), max: at(1) };
}
