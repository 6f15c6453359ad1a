/** A point of a series, in any units. */
export interface Point {
  x: number;
  y: number;
}

/** A line through points, with the 95 % interval of its slope. */
export interface Slope {
  slope: number;
  low: number;
  high: number;
  mean: number;
  points: number;
}

/** Splits the x axis into intervals of this length, and returns the mean point of each. */
export function blockMeans(points: readonly Point[], length: number): Point[] {
  const blocks = new Map<number, Point[]>();
  for (const point of points) {
    const index = Math.floor(point.x / length);
    const block = blocks.get(index);
    if (block) block.push(point);
    else blocks.set(index, [point]);
  }
  return [...blocks.values()].map((block) => ({
    x: mean(block.map(({ x }) => x)),
    y: mean(block.map(({ y }) => y)),
  }));
}

/**
 * Fits a line by least squares. Returns undefined for fewer than 8 points. The interval allows for correlated neighbors: if r is the
 * correlation between one residual and the next, n points count as n (1 - r) / (1 + r) independent points. Quantiles of Student's t are
 * approximated by 1.96 + 2.37 / df + 2.8 / df². The error is below 0.03 from 5 degrees of freedom on.
 */
export function slopeOf(points: readonly Point[]): Slope | undefined {
  const n = points.length;
  if (n < 8) return undefined;
  const [xMean, yMean] = [mean(points.map(({ x }) => x)), mean(points.map(({ y }) => y))];
  const sxx = sum(points.map(({ x }) => (x - xMean) ** 2));
  const slope = sum(points.map(({ x, y }) => (x - xMean) * (y - yMean))) / sxx;
  const residuals = points.map(({ x, y }) => y - yMean - slope * (x - xMean));
  const squares = sum(residuals.map((each) => each ** 2));
  const products = sum(residuals.slice(1).map((each, i) => each * (residuals[i] ?? 0)));
  const r = squares === 0 ? 0 : Math.min(0.95, Math.max(0, products / squares));
  const df = Math.max(2, (n * (1 - r)) / (1 + r) - 2);
  const error = Math.sqrt(squares / df / sxx);
  const t = 1.96 + 2.37 / df + 2.8 / df ** 2;
  return { slope, low: slope - t * error, high: slope + t * error, mean: yMean, points: n };
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const mean = (values: readonly number[]): number => sum(values) / values.length;
