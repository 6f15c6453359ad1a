/**
 * Measures how long a partition handles no message while it moves: after a kill -9, a SIGTERM, a join and a server restart. The members are
 * processes with default settings.
 *
 *   node --import tsx bench/failover.ts [--trials 20] [--rate 1000] [--partitions 8] [--members 3] [--keyed] [--json FILE]
 *
 * `--keyed` measures a keyed group over a stream that a plain client fills.
 */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { stopAll } from '../test/support/cli.js';
import { GroupRun } from '../test/support/group-run.js';
import { TestServer } from '../test/support/server.js';
import { describeMachine } from './support/machine.js';

const { values } = parseArgs({
  options: {
    trials: { type: 'string', default: '20' },
    rate: { type: 'string', default: '1000' },
    partitions: { type: 'string', default: '8' },
    members: { type: 'string', default: '3' },
    keyed: { type: 'boolean', default: false },
    json: { type: 'string' },
  },
});
const trials = Number(values.trials);
const SETTLE_MS = 800;

/** The figures of one change, such as a kill. */
interface Trial {
  moved: number;
  movedPauseMs: number;
  stayedPauseMs: number;
  duplicates: number;
  longestDuplicateMs: number;
}

const server = new TestServer();
await server.start();
const folder = mkdtempSync(join(tmpdir(), 'natspoc-bench-'));
const run = await GroupRun.open(server.url, folder, {
  partitions: values.partitions,
  ...(values.keyed && { key: 'subject:2' }),
});
let names = 0;
const start = (): void => void run.consume(`m${++names}`);
const someone = (): string => {
  const all = [...run.members.keys()];
  return all[Math.floor(Math.random() * all.length)] ?? '';
};

/** The longest gap between two handled messages of a partition. A gap counts if it overlaps the time from `from` to `to`. */
function longestGap(partition: number, from: number, to: number): number {
  let [longest, last] = [0, Number.NaN];
  for (const { partition: p, at } of recent) {
    if (p !== partition) continue;
    if (at > from && last < to) longest = Math.max(longest, at - last);
    last = at;
  }
  return longest;
}

let recent: { partition: number; at: number; sequence: number }[] = [];

async function trial(act: () => unknown): Promise<Trial> {
  const firstLine = run.handled.length;
  await sleep(SETTLE_MS);
  const before = run.ownership.owners;
  const from = performance.now();
  await act();
  await run.atRest();
  await sleep(SETTLE_MS);
  const to = performance.now();
  recent = run.handled.slice(firstLine);
  const owners = run.ownership.owners;
  const pauses = { moved: [0], stayed: [0] };
  let moved = 0;
  for (let p = 0; p < run.partitions; p++) {
    const hasMoved = before.get(p)?.epoch !== owners.get(p)?.epoch;
    if (hasMoved) moved++;
    pauses[hasMoved ? 'moved' : 'stayed'].push(longestGap(p, from, to));
  }
  const firstAt = new Map<number, number>();
  let duplicates = 0;
  let longestDuplicateMs = 0;
  const perPartition = new Map<number, number>();
  for (const { sequence, partition } of recent) {
    if (!firstAt.has(sequence)) firstAt.set(sequence, 1);
    else {
      duplicates++;
      perPartition.set(partition, (perPartition.get(partition) ?? 0) + 1);
    }
  }
  const spacingMs = (1_000 * run.partitions) / Number(values.rate);
  for (const count of perPartition.values())
    longestDuplicateMs = Math.max(longestDuplicateMs, count * spacingMs);
  return {
    moved,
    movedPauseMs: Math.max(...pauses.moved),
    stayedPauseMs: Math.max(...pauses.stayed),
    duplicates,
    longestDuplicateMs,
  };
}

function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.ceil(q * sorted.length) - 1)] ?? Number.NaN;
}

function summarise(list: readonly Trial[]) {
  const of = (pick: (t: Trial) => number) => {
    const sorted = list.map(pick).sort((a, b) => a - b);
    const round = (value: number): number => Math.round(value * 10) / 10;
    return {
      min: round(sorted[0] ?? Number.NaN),
      median: round(quantile(sorted, 0.5)),
      p99: round(quantile(sorted, 0.99)),
    };
  };
  return {
    trials: list.length,
    partitionsMoved: list.reduce((sum, t) => sum + t.moved, 0),
    movedPauseMs: of((t) => t.movedPauseMs),
    stayedPauseMs: of((t) => t.stayedPauseMs),
    duplicates: list.reduce((sum, t) => sum + t.duplicates, 0),
    mostRepeatedMs: Math.max(...list.map((t) => t.longestDuplicateMs)),
  };
}

const results: Record<'join' | 'sigterm' | 'kill' | 'restart', Trial[]> = {
  join: [],
  sigterm: [],
  kill: [],
  restart: [],
};
try {
  for (let i = 0; i < Number(values.members); i++) start();
  await run.atRest();
  run.publish(Number(values.rate));
  await run.handledCount(1_000);
  for (let i = 0; i < trials; i++) {
    results.kill.push(
      await trial(() => {
        const victim = run.forget(someone());
        victim.signal('SIGKILL');
      }),
    );
    results.join.push(await trial(start));
    results.sigterm.push(
      await trial(async () => {
        const leaver = run.forget(someone());
        leaver.signal('SIGTERM');
        await leaver.exited;
      }),
    );
    start();
    await run.atRest();
    console.error(
      `trial ${i + 1} of ${trials}: kill ${Math.round(results.kill.at(-1)?.movedPauseMs ?? 0)} ms`,
    );
  }
  for (let i = 0; i < Math.max(1, Math.ceil(trials / 4)); i++) {
    results.restart.push(
      await trial(async () => {
        await server.kill();
        await server.start();
        await run.handledCount(run.handled.length + 100);
      }),
    );
  }
  const verdict = await run.finish(60_000);
  const report = {
    machine: describeMachine(server.version),
    settings: { ...values, json: undefined },
    kill: summarise(results.kill),
    sigterm: summarise(results.sigterm),
    join: summarise(results.join),
    restart: summarise(results.restart),
    verdict: { ...verdict, samples: verdict.samples.slice(0, 5) },
  };
  console.log(JSON.stringify(report, null, 2));
  if (values.json) writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);
} finally {
  await stopAll();
  await run.close();
  await server.stop();
  await rm(folder, { recursive: true, force: true });
}
