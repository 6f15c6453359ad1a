import { GCProfiler, type GCProfilerResult } from 'node:v8';
import type { MemoryStats } from '../../protocol/member-stats.js';
import { judgeTrend, lowEnvelope, type Trend, type UsePoint } from './trend.js';

/** Interval at which garbage collections are read from the profiler. */
const READ_EVERY_MS = 1_000;
/** While a process warms up, caches fill and code is compiled. A rise of memory then does not show a leak. */
const WARM_UP_MS = 20_000;
/** Only the lowest point of each interval is kept. */
const ENVELOPE_MS = 10_000;
/** The trend is judged over this time. */
const WINDOW_MS = 600_000;

/** After a full collection only live objects are left. A rise by more than this share over the window counts as growth. */
const LIVE_TOLERANCE = 0.1;
/** Without full collections, promoted garbage looks like memory in use. Only a rise by more than this share counts as growth. */
const ENVELOPE_TOLERANCE = 0.5;

/** The memory of this process at one moment, in bytes. */
export interface MemorySample {
  /** Heap and external memory (buffers) in use. */
  allocBytes: number;
  /**
   * Bytes allocated since the process started. This is a lower bound: memory outside the heap that is allocated and freed between two
   * collections is not counted.
   */
  totalAllocBytes: number;
  /** Resident set size. */
  sysBytes: number;
  /** Number of small and full collections since the monitor started. */
  numGc: number;
  trend: Trend;
}

type Collection = GCProfilerResult['statistics'][number];

/** Heap and external bytes before or after a collection. */
function inUse({ heapStatistics }: Collection['beforeGC']): number {
  return heapStatistics.usedHeapSize + heapStatistics.externalMemory;
}

/**
 * Measures this process's memory. Node 20 does not count allocations. The monitor therefore adds up how much the memory in use grows
 * between collections. The timer does not keep the process alive. Call `stop` when done.
 */
export class MemoryMonitor {
  readonly #startedAt = performance.now();
  readonly #timer: NodeJS.Timeout;
  #profiler = new GCProfiler();
  #allocated: number;
  #left: number;
  #collections = 0;
  /** Bytes in use after full collections, when only live objects are left. */
  #live: UsePoint[] = [];
  #lows: UsePoint[] = [];

  constructor() {
    this.#left = this.#used();
    this.#allocated = this.#left;
    this.#profiler.start();
    this.#timer = setInterval(() => this.#read(), READ_EVERY_MS);
    this.#timer.unref();
  }

  /** The current memory use. */
  sample(): MemorySample {
    this.#read();
    const allocBytes = this.#used();
    return {
      allocBytes,
      totalAllocBytes: this.#allocated + Math.max(0, allocBytes - this.#left),
      sysBytes: process.memoryUsage.rss(),
      numGc: this.#collections,
      trend: this.#trend(),
    };
  }

  /** The current memory use, for a STATS answer. */
  stats(): MemoryStats {
    const { trend, ...sizes } = this.sample();
    return { ...sizes, verdict: describeTrend(trend) };
  }

  /** Stops measuring. */
  stop(): void {
    clearInterval(this.#timer);
    this.#profiler.stop();
  }

  #used(): number {
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  }

  /** Reads the collections from the profiler, and restarts it so that it never stores many. */
  #read(): void {
    const now = performance.now();
    const result = this.#profiler.stop();
    this.#profiler = new GCProfiler();
    this.#profiler.start();
    const warm = now - this.#startedAt > WARM_UP_MS;
    // A profiler that was already stopped returns undefined, although the type excludes undefined.
    for (const collection of result?.statistics ?? []) {
      this.#collections++;
      this.#allocated += Math.max(0, inUse(collection.beforeGC) - this.#left);
      this.#left = inUse(collection.afterGC);
      if (!warm) continue;
      this.#lows.push({ atMs: now, bytes: this.#left });
      if (collection.gcType === 'MarkSweepCompact') this.#live.push({ atMs: now, bytes: this.#left });
    }
    if (!warm) return;
    this.#lows.push({ atMs: now, bytes: this.#used() });
    const recent = (points: UsePoint[]) => points.filter((point) => now - point.atMs < WINDOW_MS);
    this.#lows = recent(lowEnvelope(this.#lows, ENVELOPE_MS));
    this.#live = recent(lowEnvelope(this.#live, ENVELOPE_MS));
  }

  #trend(): Trend {
    const live = judgeTrend(this.#live, LIVE_TOLERANCE);
    return live.kind === 'unknown' ? judgeTrend(this.#lows, ENVELOPE_TOLERANCE) : live;
  }
}

const megabytes = (bytes: number): string => `${Math.round(bytes / 1_048_576)} MB`;

/** A trend in words: `stable`, `growing +1.2 MB/min`, or `warming up` while it is too early to tell. */
export function describeTrend(trend: Trend): string {
  if (trend.kind === 'unknown') return 'warming up';
  return trend.kind === 'stable'
    ? 'stable'
    : `growing +${(trend.bytesPerMinute / 1_048_576).toFixed(1)} MB/min`;
}

/** A memory sample as one line: `Memory Stats - Alloc: 5 MB, TotalAlloc: 10 MB, Sys: 12 MB, NumGC: 3, stable`. */
export function formatMemoryLine(sample: MemorySample): string {
  const { allocBytes, totalAllocBytes, sysBytes, numGc, trend } = sample;
  const sizes = `Alloc: ${megabytes(allocBytes)}, TotalAlloc: ${megabytes(totalAllocBytes)}, Sys: ${megabytes(sysBytes)}`;
  return `Memory Stats - ${sizes}, NumGC: ${numGc}, ${describeTrend(trend)}`;
}
