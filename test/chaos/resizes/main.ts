/**
 * `npx tsx test/chaos/resizes/main.ts [--rounds 50] [--rate 5000] [--servers 1|3] [--own]` resizes a group of four members from 8
 * partitions to 64, 8 and 12 while messages are published. In each resize one member is killed, and once the server (in a cluster one of
 * them) as well. Judged by key from what the members wrote.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type Cli, runCli, startCli, stopAll } from '../../support/cli.js';
import { GroupRun } from '../../support/group-run.js';
import { until } from '../../support/until.js';
import { Servers } from '../stage/servers.js';
import { type Handled, judgeResizes, type Published, type ResizeVerdict, type Trouble } from './judge.js';

const COUNTS = [64, 8, 12];
/** A kill comes at most this long after the order of a resize, milliseconds: before, in and after each of its steps. */
const KILL_WITHIN_MS = 900;
/** What a member has handled and not committed when it is killed, and until the harness has its lines. */
const UNCOMMITTED_MS = 3_000;
const DOWN_MS = 1_500;
const CLUSTER_MS = 60_000;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '50' },
    rate: { type: 'string', default: '5000' },
    servers: { type: 'string', default: '1' },
    own: { type: 'boolean', default: false },
  },
});
const [rounds, rate, size] = [values.rounds, values.rate, values.servers].map(Number) as [
  number,
  number,
  number,
];

async function play(round: number): Promise<ResizeVerdict & { tookMs: number[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'natspoc-resizes-'));
  const servers = await Servers.start(size);
  const given: Record<string, string> = values.own
    ? { partitions: '8' }
    : { partitions: '8', key: 'subject:2' };
  const run = await openGroup(servers, folder, given);
  const handled: Handled[] = [];
  const troubles: Trouble[] = [];
  const living = new Map<string, Cli>();
  let names = 0;
  const join_ = (): void => {
    const member = `m${++names}`;
    const cli = startCli([
      'consume',
      '--server',
      servers.urls,
      '--name',
      member,
      '--output',
      'ndjson',
      ...run.args,
    ]);
    let index = 0;
    let rest = '';
    cli.child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const { sequence, key, epoch } = JSON.parse(line) as Pick<Handled, 'sequence' | 'key' | 'epoch'>;
        handled.push({ member, sequence, key, epoch, index: index++, at: performance.now() });
      }
    });
    living.set(member, cli);
  };
  try {
    for (let i = 0; i < 4; i++) join_();
    await Promise.all([...living.values()].map((cli) => cli.note(/joined group/)));
    run.publish(rate);
    await until('messages are handled', () => handled.length > rate / 2, 60_000);
    const tookMs: number[] = [];
    for (const [step, to] of COUNTS.entries()) {
      const startedAt = performance.now();
      const resizing = resize(run, servers, to);
      await sleep(Math.random() * KILL_WITHIN_MS);
      const [victim] = [...living.keys()].slice(Math.floor(Math.random() * living.size));
      if (victim !== undefined) {
        living.get(victim)?.signal('SIGKILL');
        troubles.push({
          from: performance.now() - UNCOMMITTED_MS,
          to: performance.now() + UNCOMMITTED_MS,
          member: victim,
        });
        living.delete(victim);
        join_();
      }
      if (step === round % COUNTS.length) {
        const server = servers.all[Math.floor(Math.random() * size)];
        const from = performance.now() - UNCOMMITTED_MS;
        await server?.kill();
        await sleep(DOWN_MS);
        await server?.start();
        troubles.push({ from, to: performance.now() + 4 * UNCOMMITTED_MS });
      }
      await resizing;
      tookMs.push(Math.round(performance.now() - startedAt));
      await sleep(1_000);
    }
    await run.stopPublishing().catch(() => {
      // It says how many messages were not confirmed in time: they are not judged.
    });
    const published = readFileSync(join(folder, 'confirmed.ndjson'), 'utf8')
      .split('\n')
      .flatMap((line): Published[] => (line === '' ? [] : [JSON.parse(line) as Published]));
    const isDone = (): boolean => {
      const seen = new Set(handled.map(({ sequence }) => sequence));
      return published.every(({ sequence }) => seen.has(sequence));
    };
    await until('everything is handled', isDone, 60_000).catch(() => {
      // The verdict says what is missing.
    });
    return { ...judgeResizes(published, handled, troubles), tookMs };
  } finally {
    await run.close();
    await stopAll();
    await servers.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A cluster that has just started refuses for a while. */
async function openGroup(servers: Servers, folder: string, given: Record<string, string>): Promise<GroupRun> {
  for (const giveUpAt = performance.now() + CLUSTER_MS; ; await sleep(1_000)) {
    try {
      return await GroupRun.open(servers.urls, folder, { ...given, replicas: String(size) });
    } catch (error) {
      if (performance.now() > giveUpAt) throw error;
    }
  }
}

/** Orders it until it is done: a server that is away, or messages of the last resize, refuse it for a while. */
async function resize(run: GroupRun, servers: Servers, to: number): Promise<void> {
  for (;;) {
    const args = run.args.filter((arg) => /^--(stream|prefix)=/.test(arg));
    const done = await runCli(['leases', 'resize', String(to), '--server', servers.urls, ...args]);
    if (done.code === 0 && /^(Resized|Group .* already)/.test(done.stdout)) return;
    await sleep(500);
  }
}

let failed = 0;
for (let round = 0; round < rounds; round++) {
  const verdict = await play(round);
  const isFine = verdict.lost + verdict.disorder + verdict.unexplained === 0 && verdict.published > 0;
  if (!isFine) failed++;
  console.log(`${isFine ? 'fine' : 'BAD '} ${round + 1}/${rounds} ${JSON.stringify(verdict)}`);
}
console.log(`${rounds - failed} of ${rounds} rounds without a fault`);
process.exitCode = failed > 0 ? 1 : 0;
