/**
 * Measures how the cost grows with the number of partitions: the memory of member and server for each idle partition, and the time that a
 * single member needs to start and to leave.
 *
 *   node --expose-gc --import tsx bench/partitions.ts [--partitions 8,256,1024,4096] [--json FILE]
 */
import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { joinGroup } from '../src/core/index.js';
import { TestServer } from '../test/support/server.js';
import { until } from '../test/support/until.js';
import { describeMachine } from './support/machine.js';
import { usageOf } from './support/process-usage.js';

const { values: options } = parseArgs({
  options: { partitions: { type: 'string', default: '8,256,1024,4096' }, json: { type: 'string' } },
});
/** A pause in which Node collects garbage, and the server finishes its own work. */
const CALM_MS = 3_000;
const START_TIMEOUT_MS = 120_000;

const kib = (bytes: number): number => Math.round(bytes / 102.4) / 10;

/** Live memory of this process, after a garbage collection. */
function liveBytes(): number {
  if (!globalThis.gc) throw new Error('this benchmark needs node --expose-gc');
  globalThis.gc();
  globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

let version = '';

async function alone(partitions: number) {
  const server = new TestServer();
  await server.start();
  version = server.version;
  try {
    const place = { servers: server.url, partitions, timeoutMs: 30_000 };
    // This unmeasured join creates stream and bucket, and loads the code.
    await (await joinGroup({ ...place, group: 'before', handler: () => {} })).leave();
    await sleep(CALM_MS);
    const before = { live: liveBytes(), own: process.cpuUsage(), server: usageOf(server.pid) };
    const from = performance.now();
    const member = await joinGroup({ ...place, handler: () => {} });
    const all = () => member.partitions.filter(({ state }) => state === 'running').length === partitions;
    await until(`${partitions} partitions run`, all, START_TIMEOUT_MS);
    const startMs = performance.now() - from;
    const own = process.cpuUsage(before.own);
    const serverCpuMs = usageOf(server.pid).cpuMs - before.server.cpuMs;
    await sleep(CALM_MS);
    const live = liveBytes() - before.live;
    const onServer = usageOf(server.pid).residentBytes - before.server.residentBytes;
    const leaving = performance.now();
    await member.leave();
    return {
      partitions,
      startMs: Math.round(startMs),
      memberCpuMs: Math.round((own.user + own.system) / 1_000),
      serverCpuMs,
      leaveMs: Math.round(performance.now() - leaving),
      memberKiB: kib(live),
      memberKiBEach: kib(live / partitions),
      serverKiB: kib(onServer),
      serverKiBEach: kib(onServer / partitions),
    };
  } finally {
    await server.stop();
  }
}

const members = [];
for (const partitions of options.partitions.split(',').map(Number)) {
  members.push(await alone(partitions));
}
console.table(members);
const machine = describeMachine(version);
console.log(JSON.stringify(machine));
if (options.json) writeFileSync(options.json, `${JSON.stringify({ machine, members }, null, 2)}\n`);
