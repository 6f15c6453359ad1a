/**
 * Measures the cost of a backlog: the times until a new group has handled one message, until `natspoc leases` has shown the lag, and until
 * one member has handled everything. Also measures the memory of the member and of the server.
 *
 *     npm run build && node --import tsx bench/backlog.ts [--messages 100000,1000000,4000000] [--partitions 16] [--rounds 3] [--json FILE]
 *
 * Each size is measured with natspoc's own layout and with a keyed group, on a new stream of messages of 128 B. All times include the start
 * of a process. NATS_SERVER_BIN chooses another nats-server.
 */
import { writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { loadConfig } from '../src/core/config/config.js';
import { connectNats } from '../src/core/nats/client/connection.js';
import { runCli, startCli, stopAll } from '../test/support/cli.js';
import { TestServer } from '../test/support/server.js';
import { fillOrders } from './support/keyed-stream.js';
import { describeMachine } from './support/machine.js';
import { usageOf } from './support/process-usage.js';
import { type Spread, spread } from './support/stats.js';

const { values: options } = parseArgs({
  options: {
    messages: { type: 'string', default: '100000,1000000,4000000' },
    partitions: { type: 'string', default: '16' },
    rounds: { type: 'string', default: '3' },
    json: { type: 'string' },
  },
});
const SIZE_BYTES = 128;
const WATCH_EVERY_MS = 20;
const MIB = 1_048_576;

/** The figures of one round. */
interface Round {
  /** The time from the start to the exit of a process that handles one message of a new group. */
  firstMs: number;
  /** The time that `natspoc leases --json` takes while all other messages wait. */
  lagMs: number;
  perSecond: number;
  memberMiB: number;
}

interface Result {
  keyed: boolean;
  messages: number;
  load: number;
  serverMiB: number;
  figures: Record<keyof Round, Spread>;
}

/** Runs a command to its end, and returns its duration and its peak memory. */
async function timed(args: string[]): Promise<{ ms: number; mostMiB: number }> {
  const startMs = performance.now();
  const cli = startCli(args);
  let most = 0;
  const watch = setInterval(() => {
    try {
      const { residentBytes } = usageOf(cli.pid);
      // A process that is ending has no memory any more.
      if (residentBytes > most) most = residentBytes;
    } catch {
      // The process has just ended.
    }
  }, WATCH_EVERY_MS);
  const { code, stderr } = await cli.exited;
  clearInterval(watch);
  if (code !== 0) throw new Error(`natspoc ${args.join(' ')} ended with ${code}: ${stderr}`);
  return { ms: performance.now() - startMs, mostMiB: most / MIB };
}

async function fill(url: string, stream: string, keyed: boolean, messages: number): Promise<void> {
  if (keyed) {
    const connection = await connectNats(loadConfig({ flags: { server: url }, env: {} }), 'bench');
    const manager = await connection.jetstreamManager();
    await fillOrders({ connection, manager, stream, messages }, SIZE_BYTES);
    await connection.close();
    return;
  }
  const size = ['--count', String(messages), '--size', `${SIZE_BYTES}B`, '--partitions', options.partitions];
  const { code, stderr } = await runCli(['publish', '--server', url, '--stream', stream, '--quiet', ...size]);
  if (code !== 0) throw new Error(stderr);
}

async function round(group: string[], keyed: boolean, messages: number): Promise<Round> {
  const layout = keyed ? ['--key', 'subject:2', '--partitions', options.partitions] : [];
  const consume = ['consume', ...group, ...layout, '--output', 'none'];
  const first = await timed([...consume, '--count', '1']);
  const lag = await timed(['leases', ...group, '--json']);
  const all = await timed([...consume, '--until-caught-up']);
  return {
    firstMs: first.ms,
    lagMs: lag.ms,
    perSecond: (messages / all.ms) * 1_000,
    memberMiB: all.mostMiB,
  };
}

async function measure(keyed: boolean, messages: number): Promise<Result> {
  const server = new TestServer();
  await server.start();
  try {
    const stream = 'BACKLOG';
    await fill(server.url, stream, keyed, messages);
    const rounds: Round[] = [];
    for (let number = 0; number < Number(options.rounds); number++) {
      const group = ['--server', server.url, '--stream', stream, '--group', `g${number}`];
      rounds.push(await round(group, keyed, messages));
    }
    const of = (name: keyof Round): Spread => spread(rounds.map((each) => each[name]));
    const serverMiB = usageOf(server.pid).residentBytes / MIB;
    const figures = {
      firstMs: of('firstMs'),
      lagMs: of('lagMs'),
      perSecond: of('perSecond'),
      memberMiB: of('memberMiB'),
    };
    machine = describeMachine(server.version);
    return { keyed, messages, load: loadavg()[0] ?? Number.NaN, serverMiB, figures };
  } finally {
    await server.stop();
  }
}

let machine = {};
try {
  const results: Result[] = [];
  for (const messages of options.messages.split(',').map(Number)) {
    for (const keyed of [false, true]) {
      const result = await measure(keyed, messages);
      results.push(result);
      const { figures, serverMiB, load } = result;
      const show = ({ min, median, max }: Spread): string =>
        [min, median, max].map((value) => Math.round(value).toLocaleString('en')).join(' / ');
      console.log(
        `${messages.toLocaleString('en')} messages${keyed ? ', keyed' : ''}, load ${load.toFixed(1)}`,
      );
      console.log(`  first message, ms     ${show(figures.firstMs)}`);
      console.log(`  lag of the group, ms  ${show(figures.lagMs)}`);
      console.log(`  messages a second     ${show(figures.perSecond)}`);
      console.log(`  member, MiB           ${show(figures.memberMiB)}`);
      console.log(`  server, MiB           ${Math.round(serverMiB)}`);
    }
  }
  console.log(JSON.stringify(machine));
  if (options.json) writeFileSync(options.json, `${JSON.stringify({ machine, results }, null, 2)}\n`);
} finally {
  await stopAll();
}
