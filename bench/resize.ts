/**
 * Measures a resize: how long a partition handles no message, and how long each step takes. The members are processes with default
 * settings. The group is resized from P partitions to half of P and back.
 *
 *     npm run build && node --import tsx bench/resize.ts [--trials 20] [--partitions 64] [--members 4] [--rate 1600]
 *         [--work 5ms] [--json FILE]
 */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { decodeEntry } from '../src/core/protocol/entries.js';
import { keys } from '../src/core/protocol/keys.js';
import { partitionOf } from '../src/core/protocol/layout.js';
import { decodePosition } from '../src/core/protocol/position-records.js';
import { runCli, stopAll } from '../test/support/cli.js';
import { GroupRun } from '../test/support/group-run.js';
import { TestServer } from '../test/support/server.js';
import { describeMachine } from './support/machine.js';
import { spread } from './support/stats.js';

const { values } = parseArgs({
  options: {
    trials: { type: 'string', default: '20' },
    partitions: { type: 'string', default: '64' },
    members: { type: 'string', default: '4' },
    rate: { type: 'string', default: '1600' },
    work: { type: 'string', default: '5ms' },
    json: { type: 'string' },
  },
});
const [trials, partitions, rate] = [values.trials, values.partitions, values.rate].map(Number) as [
  number,
  number,
  number,
];
const TICK_MS = 5;
const SETTLE_MS = 1_500;

/** The steps of a resize, in the order in which they end. */
const STEPS = [
  'ordered',
  'firstClosed',
  'lastClosed',
  'layout',
  'lastClaimed',
  'lastTaken',
  'lastStarted',
] as const;
type Step = (typeof STEPS)[number];

/** One key for each partition, so that all partitions get messages at the same rate. */
function keysOfAll(): string[] {
  const found = new Map<number, string>();
  for (let number = 0; found.size < partitions; number++) {
    const key = `k${number}`;
    const partition = partitionOf(key, partitions);
    if (!found.has(partition)) found.set(partition, key);
  }
  return [...found.values()];
}

const server = new TestServer();
await server.start();
const folder = mkdtempSync(join(tmpdir(), 'natspoc-bench-'));
const run = await GroupRun.open(server.url, folder, { partitions: values.partitions, key: 'subject:2' });
const { stream, group } = run.config;

/** When each step of the current trial ended, according to the entries of the bucket. */
let seen = new Map<Step, number>();
/** The epoch of the layout that the current trial replaces. */
let layout = 0;

/** Records the time of a step. A later time replaces an earlier time. */
const mark = (step: Step): void => void seen.set(step, performance.now());

const watches = [keys.groupPrefix(group), keys.positionPrefix(group)].map((prefix) =>
  run.topology.bucket.watch(prefix, {
    snapshot: () => {},
    changes: (entries) => {
      for (const entry of entries) {
        const found = decodeEntry(group, entry);
        const record = found?.record;
        if (found?.kind === 'layout' && record && record !== 'unreadable') {
          const isNext = (found.record as { epoch?: number }).epoch ?? 0;
          if ('next' in record && record.next) mark('ordered');
          else if (isNext > layout) mark('layout');
        } else if (found?.kind === 'lease' && found.record && found.record !== 'unreadable') {
          if (found.record.closed) {
            if (!seen.has('firstClosed')) mark('firstClosed');
            mark('lastClosed');
          } else if ((found.record.layout ?? 0) > layout) mark('lastClaimed');
        } else if (entry.value && decodePosition(entry.value)?.layout === layout + 1) {
          const isTakeover = decodePosition(entry.value)?.reader !== undefined && !taken.has(entry.key);
          taken.add(entry.key);
          if (isTakeover) mark('lastTaken');
        }
      }
    },
    failed: (error) => {
      throw error;
    },
  }),
);
const taken = new Set<string>();

/** The figures of one resize. */
interface Trial {
  from: number;
  to: number;
  pauseMs: number;
  /** The time from the request to each step, in milliseconds. */
  steps: Partial<Record<Step, number>>;
}

async function trial(from: number, to: number): Promise<Trial> {
  seen = new Map();
  taken.clear();
  const first = run.handled.length;
  await sleep(SETTLE_MS);
  const resized = await runCli(['leases', 'resize', String(to), '--server', server.url, '--stream', stream]);
  if (resized.code !== 0) throw new Error(resized.stderr);
  await sleep(SETTLE_MS);
  layout++;
  const orderedAt = seen.get('ordered') ?? Number.NaN;
  const begunAt = seen.get('layout') ?? Number.NaN;
  const last = new Map<string | null, number>();
  const startedAt = new Map<string | null, number>();
  let pauseMs = 0;
  for (const { key, at } of run.handled.slice(first)) {
    const before = last.get(key);
    if (before !== undefined && at > orderedAt) pauseMs = Math.max(pauseMs, at - before);
    if (at > begunAt && !startedAt.has(key)) startedAt.set(key, at);
    last.set(key, at);
  }
  seen.set('lastStarted', Math.max(...startedAt.values()));
  const steps = Object.fromEntries(
    STEPS.flatMap((step) => {
      const at = seen.get(step);
      return at === undefined ? [] : [[step, Math.round(at - orderedAt)]];
    }),
  );
  return { from, to, pauseMs: Math.round(pauseMs), steps };
}

const all = keysOfAll();
let isOver = false;
async function publish(): Promise<void> {
  const startMs = performance.now();
  for (let number = 0; !isOver; ) {
    const due = ((performance.now() - startMs) / 1_000) * rate;
    for (; number <= due; number++)
      run.connection.publish(`${stream}.${all[number % all.length]}.paid`, String(number));
    await sleep(TICK_MS);
  }
}

try {
  for (let i = 1; i <= Number(values.members); i++) run.consume(`m${i}`, ['--work', values.work]);
  await run.atRest(60_000);
  const publishing = publish();
  await run.handledCount(rate, 60_000);
  const results: Trial[] = [];
  let count = partitions;
  for (let number = 1; number <= trials; number++) {
    const next = count === partitions ? Math.ceil(partitions / 2) : partitions;
    const done = await trial(count, next);
    results.push(done);
    console.error(
      `${number}/${trials}: ${count} to ${next} partitions, longest pause ${done.pauseMs} ms, ${JSON.stringify(done.steps)}`,
    );
    count = next;
  }
  isOver = true;
  await publishing;
  const pauses = results.map(({ pauseMs }) => pauseMs);
  const report = {
    machine: describeMachine(server.version),
    settings: { ...values, json: undefined },
    longestPauseMs: spread(pauses),
    afterTheOrderMs: Object.fromEntries(
      STEPS.map((step) => [step, spread(results.map(({ steps }) => steps[step] ?? Number.NaN)).median]),
    ),
    results,
  };
  console.log(JSON.stringify({ ...report, results: undefined }, null, 2));
  if (values.json) writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);
} finally {
  isOver = true;
  for (const watch of watches) watch.stop();
  await stopAll();
  await run.close();
  await server.stop();
  await rm(folder, { recursive: true, force: true });
}
