import type { Reader } from '../../core/config/parse.js';

/** Reads the exponent of Zipf's law. */
export const exponent: Reader<number> = {
  parse(text) {
    const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
    return value <= 10 ? value : undefined;
  },
  allowed: 'a number from 0 to 10',
};

/**
 * Chooses among `count` items by Zipf's law: item `i` has the weight 1 / (i + 1)^skew. A skew of 0 is uniform. A skew of about 1 is typical
 * of customers.
 *
 * @param random returns uniform numbers from 0 up to 1
 * @returns a function that draws an index, 0 to `count` - 1, in O(log count)
 */
export function zipf(count: number, skew: number, random: () => number = Math.random): () => number {
  const cumulative = new Float64Array(count);
  let total = 0;
  for (let i = 0; i < count; i++) {
    total += 1 / (i + 1) ** skew;
    cumulative[i] = total;
  }
  return () => {
    const target = random() * total;
    let [low, high] = [0, count - 1];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((cumulative[middle] ?? 0) > target) high = middle;
      else low = middle + 1;
    }
    return low;
  };
}
