/** The spread of a few measurements. */
export interface Spread {
  min: number;
  median: number;
  max: number;
}

/** Minimum, median and maximum of at least one value. */
export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (index: number) => sorted[index] ?? Number.NaN;
  const middle = (sorted.length - 1) / 2;
  return {
    min: at(0),
    median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2,
    max: at(sorted.length - 1),
  };
}

/** The spread of `numerator / denominator`. Each ratio compares figures of one round. */
export function ratioSpread(numerator: readonly number[], denominator: readonly number[]): Spread {
  return spread(numerator.map((value, round) => value / (denominator[round] ?? Number.NaN)));
}
