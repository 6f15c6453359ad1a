/**
 * `npm run simulate -- [--seeds N] [--from SEED] [--members M] [--partitions P] [--faults losses,lateWatch] [--workers W]` runs N seeds.
 * `npm run simulate -- --seed S` replays one seed with its trace.
 */
import { parseArgs } from 'node:util';
import { explain, explainWithTrace } from './explain.js';
import { runPool } from './pool.js';
import { runSeed } from './run.js';
import type { Report } from './worker.js';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string' },
    seed: { type: 'string' },
    members: { type: 'string' },
    partitions: { type: 'string' },
    faults: { type: 'string' },
    workers: { type: 'string', default: '2' },
  },
});

function count(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 1) return value;
  console.error(`--${name}: ${text} is not a whole number above 0`);
  process.exit(2);
}

const options = {
  members: count('members', values.members),
  partitions: count('partitions', values.partitions),
  faults: values.faults?.split(','),
};

async function replay(seed: number): Promise<boolean> {
  const result = await runSeed(seed, { ...options, trace: (line) => console.log(line) });
  console.log(result.violation ? explain(result, options) : `seed ${seed}: nothing violated`);
  return !result.violation;
}

async function search(): Promise<boolean> {
  const seeds = count('seeds', values.seeds) ?? 1_000;
  const from = count('from', values.from) ?? 1 + Math.floor(Math.random() * 1e9);
  const startedAt = performance.now();
  let toldAt = startedAt;
  const summary = (totals: Report): string => {
    const seconds = (performance.now() - startedAt) / 1_000;
    const hours = totals.simulatedMs / 3_600_000;
    return (
      `${totals.seeds} seeds in ${seconds.toFixed(1)} s (${(totals.seeds / seconds).toFixed(1)}/s): ` +
      `${hours.toFixed(1)} hours of a group, ${totals.events} events, ${totals.handled} handler calls`
    );
  };
  console.log(`seeds ${from} to ${from + seeds - 1}`);
  const totals = await runPool({
    from,
    count: seeds,
    workers: count('workers', values.workers) ?? 2,
    options,
    progress: (so) => {
      if (performance.now() - toldAt < 10_000) return;
      toldAt = performance.now();
      console.log(summary(so));
    },
  });
  console.log(summary(totals));
  console.log(totals.failed ? await explainWithTrace(totals.failed, options) : 'nothing violated');
  return !totals.failed;
}

const seed = count('seed', values.seed);
process.exitCode = (await (seed === undefined ? search() : replay(seed))) ? 0 : 1;
