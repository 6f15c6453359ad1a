import type { MemoryRecord } from './memory.js';
import { blockMeans, type Slope, slopeOf } from './slope.js';

const MINUTE_US = 60_000_000;
const MEBI = 1024 * 1024;
/** What is certain to be more than this share of its mean in an hour is growth. */
const TOLERANCE = 0.05;
/** Start-up fills caches, compiles and sizes heaps: this share of the run says nothing about a leak. */
const WARM_UP_SHARE = 1 / 6;
/** Shorter than a collector's breath the points are not independent in any way. */
const BLOCK_MINUTES = 1;

/** What a process's memory did after its warm-up, in MiB and MiB an hour. */
export interface Growth extends Slope {
  name: string;
  kind: MemoryRecord[2];
  /** `grows`: with 95 % confidence more than 5 % of its mean in an hour. `unclear`: too few points. */
  verdict: 'flat' | 'grows' | 'unclear';
}

/** Judges the memory of each process that was there for the whole run: its slope, with a confidence interval. */
export function judgeMemory(records: readonly MemoryRecord[]): Growth[] {
  const first = records[0]?.[0] ?? 0;
  const last = records.at(-1)?.[0] ?? 0;
  const from = first + (last - first) * WARM_UP_SHARE;
  const series = new Map(records.map(([, name, kind]) => [`${name} ${kind}`, { name, kind }]));
  return [...series.values()].map(({ name, kind }) => {
    const points = records
      .filter((record) => record[1] === name && record[2] === kind && record[0] >= from)
      .map(([at, , , bytes]) => ({ x: (at - first) / MINUTE_US, y: bytes / MEBI }));
    const minutes = slopeOf(blockMeans(points, BLOCK_MINUTES));
    if (!minutes) {
      return { name, kind, verdict: 'unclear', slope: 0, low: 0, high: 0, mean: 0, points: points.length };
    }
    const [slope, low, high] = [minutes.slope * 60, minutes.low * 60, minutes.high * 60];
    const verdict = low > minutes.mean * TOLERANCE ? 'grows' : 'flat';
    return { ...minutes, name, kind, slope, low, high, verdict };
  });
}

/**
 * Names of processes that leak: what lives grows; where there were too few full collections to tell, what is
 * resident does. What the system has given and the collector has not given back is no leak.
 */
export function leaking(growth: readonly Growth[]): string[] {
  const names = [...new Set(growth.map(({ name }) => name))];
  return names.filter((name) => {
    const own = growth.filter((each) => each.name === name);
    const live = own.find(({ kind, verdict }) => kind === 'live' && verdict !== 'unclear');
    return (live ?? own.find(({ kind }) => kind === 'resident'))?.verdict === 'grows';
  });
}
