import type { Machine } from './machine.js';
import { ratioSpread, spread } from './stats.js';

/** The output of `bench/publish.ts` and `bench/consume.ts` for one setting. */
interface Rates {
  sizeBytes: number;
  partitions?: number;
  perSecond: Record<string, number[]>;
}

/** The output of `bench/failover.ts` for one kind of change. */
interface Change {
  movedPauseMs: { min: number; median: number; p99: number };
  duplicates: number;
}

/** The part of the benchmarks' output that the table uses. */
export interface BenchResults {
  publish: { machine: Machine; sizes: Rates[] };
  consume: { results: Rates[] };
  failover: Record<'kill' | 'sigterm' | 'join', Change>;
  takeover: {
    results: { kind: string; signal: string; pauseMs: number; waitMs: number; outOfOrder: number }[];
  };
}

const OURS = 'natspoc';
const HEAD = ['', '', 'min', 'median', 'max', 'natspoc : this'];
const count = (value: number): string => Math.round(value).toLocaleString('en-US');

function rateRows(what: string, { perSecond }: Rates): string[][] {
  const ours = perSecond[OURS] ?? [];
  return Object.entries(perSecond).map(([name, figures]) => {
    const { min, median, max } = spread(figures);
    const ratio = name === OURS ? '' : ratioSpread(ours, figures).median.toFixed(2);
    return [`${what}, messages/s`, name, count(min), count(median), count(max), ratio];
  });
}

function takeoverRows(results: BenchResults['takeover']['results']): string[][] {
  const groups = new Map<string, (typeof results)[number][]>();
  for (const each of results) {
    const key = `${each.signal}\0${each.kind}`;
    groups.set(key, [...(groups.get(key) ?? []), each]);
  }
  return [...groups].map(([key, own]) => {
    const [signal = '', kind = ''] = key.split('\0');
    const { min, median, max } = spread(own.map(({ waitMs }) => waitMs));
    const disorder = own.reduce((sum, { outOfOrder }) => sum + outOfOrder, 0);
    const note = disorder > 0 ? `${count(disorder)} out of order` : '';
    return [`${signal}, longest wait, ms`, kind, count(min), count(median), count(max), note];
  });
}

/** One table of all measurements. */
export function summarise({ publish, consume, failover, takeover }: BenchResults): string {
  const rows = [
    HEAD,
    ...publish.sizes.flatMap((each) => rateRows(`publish ${each.sizeBytes} B`, each)),
    ...consume.results.flatMap((each) => rateRows(`consume ${each.sizeBytes} B`, each)),
    ...Object.entries({ 'kill -9': failover.kill, SIGTERM: failover.sigterm, join: failover.join }).map(
      ([name, { movedPauseMs, duplicates }]) => {
        const { min, median, p99 } = movedPauseMs;
        return [
          `${name}, pause, ms`,
          OURS,
          count(min),
          count(median),
          `${count(p99)} (p99)`,
          `${duplicates} twice`,
        ];
      },
    ),
    ...takeoverRows(takeover.results),
  ];
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
