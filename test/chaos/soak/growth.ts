import type { MemoryRecord } from './memory.js';
import { blockMeans, type Slope, slopeOf } from './slope.js';

const MINUTE_US = 60_000_000;
const MEBI = 1024 * 1024;
/** Memory counts as growing if, each hour, it certainly rises by more than this share of its mean. */
const TOLERANCE = 0.05;
/** This share of the run is ignored, because caches fill, code is compiled and heaps are sized. */
const WARM_UP_SHARE = 1 / 6;
/** Samples are averaged over this time. Samples within one collection cycle are not independent. */
const BLOCK_MINUTES = 1;

/** The memory of a process after its warm-up, in MiB and MiB per hour. */
export interface Growth extends Slope {
  name: string;
  kind: MemoryRecord[2];
  /** `grows`: the memory rises by more than 5 % of its mean in each hour, with 95 % confidence. `unclear`: too few points. */
  verdict: 'flat' | 'grows' | 'unclear';
}

/** Judges the memory of each process that ran the whole time. */
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
 * The names of processes that leak. Their live memory grows. Without enough full collections to measure live memory, the resident memory
 * decides. Memory that the garbage collector keeps is not a leak.
 */
export function leaking(growth: readonly Growth[]): string[] {
  const names = [...new Set(growth.map(({ name }) => name))];
  return names.filter((name) => {
    const own = growth.filter((each) => each.name === name);
    const live = own.find(({ kind, verdict }) => kind === 'live' && verdict !== 'unclear');
    return (live ?? own.find(({ kind }) => kind === 'resident'))?.verdict === 'grows';
  });
}
