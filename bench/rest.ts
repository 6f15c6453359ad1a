/**
 * Measures the cost of an idle group: messages and bytes a second between members and server, and the processor time of both. Compares the
 * messages with the formula in `support/rest-model.ts`.
 *
 *   npx tsx bench/rest.ts [--groups 1x8,3x8,10x64] [--servers 1] [--seconds 30] [--ttl 10000] [--probe 400] [--json FILE]
 *
 * `3x8` means a group of 3 members and 8 partitions. All members run in this process, each on its own connection. With three servers,
 * stream and bucket have three replicas. The traffic between the servers then counts, too.
 */
import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type GroupMember, joinGroup } from '../src/core/index.js';
import { startCluster } from '../test/support/cluster.js';
import { startTestServer, type TestServer } from '../test/support/server.js';
import { until } from '../test/support/until.js';
import { leastSquares } from './support/fit.js';
import { describeMachine } from './support/machine.js';
import { usageOf } from './support/process-usage.js';
import { messagesAtRest, type RestingGroup } from './support/rest-model.js';

const { values: options } = parseArgs({
  options: {
    groups: { type: 'string', default: '1x8,1x256,1x1024,3x8,3x256,10x8,10x256,30x64,100x128,200x256' },
    servers: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '30' },
    ttl: { type: 'string', default: '10000' },
    probe: { type: 'string', default: '400' },
    json: { type: 'string' },
  },
});
/** Time between the joins and the measurement. The requests of the joins expire only after 30 s. */
const CALM_MS = 35_000;
const JOIN_TIMEOUT_MS = 300_000;
/** How many members join at the same time. More joins would block the event loop of this process for longer than a ttl. */
const AT_ONCE = 10;
const replicas = Number(options.servers);

/** The part of the server's `/varz` that this script uses. */
interface Counters {
  in_msgs: number;
  out_msgs: number;
  in_bytes: number;
  out_bytes: number;
}

/** The figures of one group at rest. Rates are per member and second. */
interface Rest extends RestingGroup {
  measured: { sent: number; received: number; sentBytes: number; receivedBytes: number };
  expected: { sent: number; received: number };
  /** The load of all servers and of all members, in per cent of one processor core. */
  serverCpu: number;
  membersCpu: number;
}

/** The sum of the counters of all servers. */
async function counted(servers: readonly TestServer[]): Promise<Counters> {
  const all = await Promise.all(
    servers.map(async ({ monitorUrl }) => (await (await fetch(`${monitorUrl}/varz`)).json()) as Counters),
  );
  const sum = (key: keyof Counters): number => all.reduce((total, each) => total + each[key], 0);
  return {
    in_msgs: sum('in_msgs'),
    out_msgs: sum('out_msgs'),
    in_bytes: sum('in_bytes'),
    out_bytes: sum('out_bytes'),
  };
}

async function joinAll(
  servers: readonly TestServer[],
  stream: string,
  group: RestingGroup,
): Promise<GroupMember[]> {
  const { members, partitions, ttlMs, probeMs } = group;
  const urls = servers.map(({ url }) => url);
  const place = { servers: urls, stream, prefix: `${stream}.e`, partitions, ttlMs, replicas };
  const join = (_: unknown, i: number) =>
    joinGroup({ ...place, name: `m${i}`, probeIntervalMs: probeMs, timeoutMs: 30_000, handler: () => {} });
  // The first member creates the stream.
  const all = [await join(undefined, 0)];
  while (all.length < members) {
    const some = Array.from({ length: Math.min(AT_ONCE, members - all.length) }, (_, i) => all.length + i);
    all.push(...(await Promise.all(some.map((i) => join(undefined, i)))));
  }
  const fewest = Math.floor(partitions / members);
  const atRest = () =>
    all.reduce((sum, { partitions: own }) => sum + own.length, 0) === partitions &&
    all.every(({ partitions: own }) => own.length >= fewest && own.every(({ state }) => state === 'running'));
  await until(`${members} members share ${partitions} partitions`, atRest, JOIN_TIMEOUT_MS);
  return all;
}

async function measure(servers: readonly TestServer[], stream: string, group: RestingGroup): Promise<Rest> {
  const all = await joinAll(servers, stream, group);
  try {
    await sleep(CALM_MS);
    const cpu = () => ({
      servers: servers.reduce((sum, { pid }) => sum + usageOf(pid).cpuMs, 0),
      own: process.cpuUsage(),
    });
    const [before, cpuBefore, from] = [await counted(servers), cpu(), performance.now()];
    await sleep(Number(options.seconds) * 1_000);
    const [after, cpuAfter, to] = [await counted(servers), cpu(), performance.now()];
    const perMember = (key: keyof Counters) =>
      ((after[key] - before[key]) / (to - from)) * (1_000 / group.members);
    const own = process.cpuUsage(cpuBefore.own);
    return {
      ...group,
      measured: {
        sent: perMember('in_msgs'),
        received: perMember('out_msgs'),
        sentBytes: perMember('in_bytes'),
        receivedBytes: perMember('out_bytes'),
      },
      expected: messagesAtRest(group),
      serverCpu: ((cpuAfter.servers - cpuBefore.servers) / (to - from)) * 100,
      membersCpu: (own.user + own.system) / 10 / (to - from),
    };
  } finally {
    await Promise.all(all.map((member) => member.leave()));
  }
}

/** Fits the bytes that a member receives: a constant, plus an amount for each member, plus an amount for each owned partition. */
function bytesFormula(all: readonly Rest[]): { always: number; aMember: number; aPartition: number } {
  const rows = all.map(({ members, partitions }) => [1, members, partitions / members]);
  const weights = leastSquares(
    rows,
    all.map(({ measured }) => measured.receivedBytes),
  );
  const [always = Number.NaN, aMember = Number.NaN, aPartition = Number.NaN] = weights;
  return { always, aMember, aPartition };
}

const servers =
  replicas === 1
    ? [await startTestServer({ monitorPort: 0 })]
    : await startCluster(replicas, { monitorPort: 0 });
try {
  const machine = describeMachine(servers[0]?.version ?? '');
  console.log(JSON.stringify(machine));
  console.log(
    `${replicas} servers, ttl ${options.ttl} ms, probes every ${options.probe} ms, ${options.seconds} s each; rates of one member`,
  );
  console.log(
    'members partitions | sent/s formula | received/s formula | sent B/s received B/s | cpu % server members',
  );
  const results: Rest[] = [];
  for (const [i, text] of options.groups.split(',').entries()) {
    const [members = 1, partitions = 8] = text.split('x').map(Number);
    const group = { members, partitions, ttlMs: Number(options.ttl), probeMs: Number(options.probe) };
    const rest = await measure(servers, `R${i}`, group);
    results.push(rest);
    const { measured, expected } = rest;
    const cells: [number, number, number][] = [
      [members, 7, 0],
      [partitions, 10, 0],
      [measured.sent, 8, 1],
      [expected.sent, 7, 1],
      [measured.received, 12, 1],
      [expected.received, 7, 1],
      [measured.sentBytes, 10, 0],
      [measured.receivedBytes, 12, 0],
      [rest.serverCpu, 12, 1],
      [rest.membersCpu, 7, 1],
    ];
    console.log(cells.map(([value, width, digits]) => value.toFixed(digits).padStart(width)).join(' '));
  }
  const bytes = results.length >= 3 ? bytesFormula(results) : undefined;
  if (bytes)
    console.log(
      `received bytes a second: ${bytes.always.toFixed(0)} + ${bytes.aMember.toFixed(0)} a member + ${bytes.aPartition.toFixed(0)} an owned partition`,
    );
  if (options.json) writeFileSync(options.json, `${JSON.stringify({ machine, results, bytes }, null, 2)}\n`);
} finally {
  await Promise.all(servers.map((server) => server.stop()));
}
