import { build, type Histogram } from 'hdr-histogram-js';

/** A summary of latencies, all in milliseconds; zeros when nothing was recorded. */
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
const LONGEST_MICROS = 3_600_000_000;

/** Records latencies in constant memory, to three significant digits from a microsecond to an hour. */
export class LatencyRecorder {
  readonly #histogram: Histogram = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: LONGEST_MICROS,
    numberOfSignificantValueDigits: 3,
    bitBucketSize: 32,
    useWebAssembly: false,
  });

  record(latencyMs: number): void {
    const micros = Math.round(latencyMs * MICROS_PER_MS);
    this.#histogram.recordValue(Math.max(1, Math.min(LONGEST_MICROS, micros)));
  }

  summary(): LatencySummary {
    const histogram = this.#histogram;
    const at = (percentile: number) => histogram.getValueAtPercentile(percentile) / MICROS_PER_MS;
    const empty = histogram.totalCount === 0;
    return {
      min: empty ? 0 : histogram.minNonZeroValue / MICROS_PER_MS,
      avg: empty ? 0 : Math.round(histogram.mean) / MICROS_PER_MS,
      p50: at(50),
      p90: at(90),
      p99: at(99),
      p999: at(99.9),
      max: histogram.maxValue / MICROS_PER_MS,
    };
  }
}
