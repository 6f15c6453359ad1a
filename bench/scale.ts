/**
 * Measures the time to plan a large group, and the load of a member that owns many idle partitions.
 *
 *     npm run build && node --import tsx bench/scale.ts [--partitions 256] [--seconds 30] [--json FILE]
 */
import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { loadConfig } from '../src/core/config/config.js';
import { connectNats } from '../src/core/nats/client/connection.js';
import { openTopology } from '../src/core/nats/stream/topology.js';
import { assign } from '../src/core/protocol/assign.js';
import { Ownership } from '../src/local/demo/ownership.js';
import { startCli, stopAll } from '../test/support/cli.js';
import { TestServer } from '../test/support/server.js';
import { describeMachine } from './support/machine.js';
import { usageOf } from './support/process-usage.js';
import { spread } from './support/stats.js';

const { values } = parseArgs({
  options: {
    partitions: { type: 'string', default: '256' },
    seconds: { type: 'string', default: '30' },
    json: { type: 'string' },
  },
});
const PLANS = 20;

/** The time to plan a group of which one in eleven owners has gone, in milliseconds. */
function planMs(partitions: number, members: number): number {
  const ids = Array.from({ length: members }, (_, i) => `M${i}`);
  const holdings = Array.from({ length: partitions }, (_, partition) => ({
    partition,
    owner: `M${(partition * 7) % Math.ceil(members * 1.1)}`,
    epoch: partition + 1,
  }));
  const startedAt = performance.now();
  assign(ids, holdings);
  return performance.now() - startedAt;
}

/** Measures a member that is alone in its group and at rest. */
async function idleMember(server: TestServer): Promise<{ corePercent: number; residentMiB: number }> {
  const config = loadConfig({ flags: { server: server.url, partitions: values.partitions }, env: {} });
  const connection = await connectNats(config, 'bench');
  const { bucket, layout } = await openTopology(connection, config, { create: true });
  const ownership = new Ownership(bucket, config.group, () => {});
  const member = startCli(['consume', '--server', server.url, '--name', 'only', '--output', 'none']);
  await ownership.balanced(['only'], layout.partitions, 30_000);
  // Wait until the garbage of the start is collected.
  await sleep(5_000);
  const [before, from] = [usageOf(member.pid), performance.now()];
  await sleep(Number(values.seconds) * 1_000);
  const after = usageOf(member.pid);
  const corePercent = (100 * (after.cpuMs - before.cpuMs)) / (performance.now() - from);
  ownership.stop();
  await connection.close();
  return { corePercent, residentMiB: after.residentBytes / 1_048_576 };
}

const server = new TestServer();
await server.start();
try {
  const plans = Array.from({ length: PLANS }, () => planMs(10_000, 1_000));
  const idle = await idleMember(server);
  const machine = describeMachine(server.version);
  const report = {
    machine,
    planMs: { first: plans[0], ...spread(plans) },
    partitions: values.partitions,
    idle,
  };
  const text = (ms: number | undefined): string => `${(ms ?? Number.NaN).toFixed(1)} ms`;
  console.log(JSON.stringify(machine));
  console.log(
    `plan of 10,000 partitions for 1,000 members: the first ${text(plans[0])}, then min ${text(report.planMs.min)}, ` +
      `median ${text(report.planMs.median)}`,
  );
  console.log(
    `one member, ${values.partitions} idle partitions: ${idle.corePercent.toFixed(2)} % of a core, ` +
      `${idle.residentMiB.toFixed(0)} MiB resident`,
  );
  if (values.json) writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);
} finally {
  await stopAll();
  await server.stop();
}
