/** A summary of latencies in milliseconds; zeros if nothing was recorded. */
export interface LatencySummary {
  min: number;
  avg: number;
  p50: number;
  p90: number;
  p99: number;
  p999: number;
  max: number;
}

const MICROS_PER_MS = 1_000;
/** Above the exact values, each range from a power of two to the next has this many buckets. So values are accurate to 1 in 1,024. */
const HALF = 1_024;
/** Each value of up to this many bits has a bucket of its own. */
const EXACT_BITS = 11;
const LONGEST_MICROS = 2 ** 32 - 1;
const BUCKETS = (32 - EXACT_BITS + 2) * HALF;

function bucketOf(micros: number): number {
  const shift = Math.max(0, 32 - EXACT_BITS - Math.clz32(micros));
  return shift * HALF + (micros >>> shift);
}

/** Milliseconds rounded to microseconds, the resolution of the buckets. */
const toMicros = (ms: number): number => Math.round(ms * MICROS_PER_MS) / MICROS_PER_MS;

/** The largest value that falls into a bucket. */
function topOf(bucket: number): number {
  const shift = Math.max(0, Math.floor(bucket / HALF) - 1);
  return (bucket - shift * HALF + 1) * 2 ** shift - 1;
}

/**
 * Counts latencies in buckets like those of an HDR histogram: constant memory, and three significant digits from a microsecond to 71
 * minutes.
 */
export class LatencyRecorder {
  readonly #counts = new Float64Array(BUCKETS);
  #total = 0;
  #sumMs = 0;
  #minMs = Number.POSITIVE_INFINITY;
  #maxMs = 0;

  record(latencyMs: number): void {
    const micros = Math.min(LONGEST_MICROS, Math.max(0, Math.round(latencyMs * MICROS_PER_MS)));
    const bucket = bucketOf(micros);
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#total++;
    this.#sumMs += latencyMs;
    if (latencyMs < this.#minMs) this.#minMs = latencyMs;
    if (latencyMs > this.#maxMs) this.#maxMs = latencyMs;
  }

  summary(): LatencySummary {
    if (this.#total === 0) return { min: 0, avg: 0, p50: 0, p90: 0, p99: 0, p999: 0, max: 0 };
    return {
      min: toMicros(this.#minMs),
      avg: toMicros(this.#sumMs / this.#total),
      p50: this.#percentile(0.5),
      p90: this.#percentile(0.9),
      p99: this.#percentile(0.99),
      p999: this.#percentile(0.999),
      max: toMicros(this.#maxMs),
    };
  }

  /** The percentile for `share` (0.99 for p99), in milliseconds. */
  #percentile(share: number): number {
    const wanted = Math.ceil(this.#total * share);
    let seen = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      seen += this.#counts[bucket] ?? 0;
      if (seen >= wanted) return Math.min(topOf(bucket) / MICROS_PER_MS, toMicros(this.#maxMs));
    }
    return toMicros(this.#maxMs);
  }
}
