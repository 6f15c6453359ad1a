/**
 * Measures the effect of one slow partition on the other partitions of a member of a keyed group. After some time the partition takes a
 * second for each message. At the end it is fast again and catches up. The figures show whether the other partitions keep their speed,
 * whether memory stays constant, and whether a message is lost.
 *
 *     npm run build && node --expose-gc --import tsx bench/slow.ts [--rate 2000] [--partitions 16] [--seconds 40] [--json FILE]
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { stopAll } from '../test/support/cli.js';
import { GroupRun } from '../test/support/group-run.js';
import { TestServer } from '../test/support/server.js';
import { until } from '../test/support/until.js';
import { libraryOf } from './support/built.js';
import { describeMachine } from './support/machine.js';
import { spread } from './support/stats.js';

const { values: options } = parseArgs({
  options: {
    rate: { type: 'string', default: '2000' },
    partitions: { type: 'string', default: '16' },
    seconds: { type: 'string', default: '40' },
    json: { type: 'string' },
  },
});
const SLOW = 0;
const SLOW_MS = 1_000;
const CATCH_UP_MS = 120_000;
const seconds = Number(options.seconds);

interface Phase {
  perSecond: number[];
  /** For each message, the time from its storage to the end of its handler, in milliseconds. */
  waitsMs: number[];
  heapMiB: number[];
}

const server = new TestServer();
await server.start();
const folder = mkdtempSync(join(tmpdir(), 'natspoc-bench-'));
const { partitions } = options;
const run = await GroupRun.open(server.url, folder, { partitions, key: 'subject:2' });
const { GroupMember } = await libraryOf();
let isSlow = false;
let phase: Phase = { perSecond: [], waitsMs: [], heapMiB: [] };
let fast = 0;
const handled: number[][] = Array.from({ length: run.partitions }, () => []);
const member = await GroupMember.open({
  connection: run.connection,
  config: run.config,
  version: '0.0.0',
  handler: async (message, { partition }) => {
    if (partition === SLOW && isSlow) await sleep(SLOW_MS);
    handled[partition]?.push(message.sequence);
    if (partition === SLOW) return;
    fast++;
    phase.waitsMs.push(Date.now() - message.timestampMs);
  },
});

async function watch(forSeconds: number): Promise<Phase> {
  phase = { perSecond: [], waitsMs: [], heapMiB: [] };
  for (let second = 0; second < forSeconds; second++) {
    const [before, atMs] = [fast, performance.now()];
    await sleep(1_000);
    phase.perSecond.push((fast - before) / ((performance.now() - atMs) / 1_000));
    globalThis.gc?.();
    phase.heapMiB.push(process.memoryUsage().heapUsed / 2 ** 20);
  }
  return phase;
}

function summary({ perSecond, waitsMs, heapMiB }: Phase) {
  const sorted = waitsMs.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))];
  const round = (value = Number.NaN) => Math.round(value * 10) / 10;
  return {
    fastPerSecond: round(spread(perSecond).median),
    waitMs: { median: round(at(0.5)), p99: round(at(0.99)), max: round(at(1)) },
    heapMiB: { first: round(heapMiB[0]), last: round(heapMiB.at(-1)), most: round(Math.max(...heapMiB)) },
  };
}

try {
  const load = loadavg()[0];
  run.publish(Number(options.rate));
  await until('the member handles messages', () => fast > Number(options.rate), 30_000);
  const before = await watch(seconds / 2);
  isSlow = true;
  const beside = await watch(seconds);
  const left = handled[SLOW]?.length ?? 0;
  isSlow = false;
  await run.stopPublishing();
  const published = run.published();
  const count = (): number => handled.reduce((sum, each) => sum + each.length, 0);
  await until('all messages are handled', () => count() >= published.length, CATCH_UP_MS).catch(() => {});
  await member.leave();
  const expected = new Map<number, number[]>(handled.map((_, partition) => [partition, []]));
  for (const { partition, sequence } of published) expected.get(partition)?.push(sequence);
  const wrong = [...expected].filter(
    ([partition, sequences]) => sequences.sort((a, b) => a - b).join() !== handled[partition]?.join(),
  );
  const report = {
    machine: { ...describeMachine(server.version), loadAverage: [load, loadavg()[0]] },
    settings: { ...options, json: undefined },
    before: summary(before),
    beside: summary(beside),
    ratio: Math.round((100 * spread(beside.perSecond).median) / spread(before.perSecond).median) / 100,
    slow: { handledWhileSlow: left, published: expected.get(SLOW)?.length },
    partitionsWithLossRepeatOrDisorder: wrong.map(([partition]) => partition),
  };
  console.log(JSON.stringify(report, null, 2));
  if (options.json) writeFileSync(options.json, `${JSON.stringify(report, null, 2)}\n`);
  if (wrong.length > 0) process.exitCode = 1;
} finally {
  await stopAll();
  await run.close();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
}
