/**
 * Compares consuming with alternatives in Node. All contenders are measured in turn on one server:
 *
 *     npm run build && node --import tsx bench/consume.ts [--rounds 5] [--messages 1000000] [--partitions 16,1,64,256]
 *         [--keyed 16,1,256,4096] [--sizes 128,1024] [--only NAME,NAME] [--beside FOLDER] [--json FILE]
 *
 * `--partitions` lists numbers of partitions for natspoc's own layout, `--keyed` for keyed groups over a stream of 20,000 subjects. Either
 * list may be empty. Prints messages a second (min / median / max of the rounds). Also prints ratios between two contenders in the same
 * round. Each ratio has a target and a ceiling (the ratio that the bare loop reaches). The measured time ends when the server has the last
 * commit or acknowledgement. NATS_SERVER_BIN selects another nats-server. `--beside` is the `dist` folder of another build, which is
 * measured as "natspoc beside".
 */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { PublishRun } from '../src/cli/publish/run.js';
import { generatedSource } from '../src/cli/publish/source.js';
import { loadConfig } from '../src/core/config/config.js';
import { connectNats, type NatsConnection } from '../src/core/nats/client/connection.js';
import { natsPublishPort } from '../src/core/nats/jetstream/pipeline.js';
import { openTopology } from '../src/core/nats/stream/topology.js';
import { partitionSubject } from '../src/core/protocol/layout.js';
import { ensureServerBinary, startServer } from '../src/local/server/index.js';
import { type Claim, describeClaim, type MeasuredClaim, measureClaims } from './support/claims.js';
import {
  bareLoop,
  type ConsumeBench,
  explicitAck,
  natspocLibrary,
  natspocProcess,
  strictOrder,
} from './support/consumers.js';
import { fillOrders } from './support/keyed-stream.js';
import { kvLock } from './support/kv-lock.js';
import { describeMachine } from './support/machine.js';
import { type Contender, interleave } from './support/rounds.js';
import { spread } from './support/stats.js';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    messages: { type: 'string', default: '1000000' },
    partitions: { type: 'string', default: '16,1,64,256' },
    keyed: { type: 'string', default: '16,1,256,4096' },
    sizes: { type: 'string', default: '128,1024' },
    only: { type: 'string' },
    beside: { type: 'string' },
    program: { type: 'string', default: join(import.meta.dirname, '../bin/run.js') },
    json: { type: 'string' },
  },
});
/** The slowest contenders read only these shares of the messages. */
const STRICT_SHARE = 0.02;
const LOCK_SHARE = 0.01;
const BESIDE = 'natspoc beside';

/** Targets with 16 partitions and 128 B. */
const CLAIMS: Claim[] = [
  { numerator: 'natspoc', denominator: 'bare loop', atLeast: 1.15 },
  { numerator: 'natspoc', denominator: 'explicit ack', atLeast: 2 },
  { numerator: 'natspoc', denominator: 'max_ack_pending 1', atLeast: 12 },
  { numerator: 'natspoc', denominator: 'kv lock', atLeast: 50 },
  { numerator: 'ndjson to a file', denominator: 'bare loop', atLeast: 0.4 },
  { numerator: 'natspoc', denominator: BESIDE, atLeast: 1 },
];
/** Targets of keyed groups. Here the bare loop is one reader without a filter. */
const KEYED_CLAIMS: Claim[] = [
  { numerator: 'natspoc', denominator: 'bare loop', atLeast: 0.8 },
  { numerator: 'natspoc', denominator: BESIDE, atLeast: 1 },
];

interface Result {
  keyed: boolean;
  partitions: number;
  sizeBytes: number;
  messages: number;
  /** The load of the machine before and after the benchmark. */
  load: [before: number, after: number];
  perSecond: Record<string, number[]>;
  ratios: MeasuredClaim[];
}

const show = (text: string) => process.stdout.write(`${text}\n`);
const thousands = (value: number) => `${(value / 1_000).toFixed(value < 10_000 ? 1 : 0)}k`;
const numbers = (list: string) => list.split(',').filter(Boolean).map(Number);
const load = () => loadavg()[0] ?? Number.NaN;
const part = (bench: ConsumeBench, share: number) => ({
  ...bench,
  messages: Math.ceil(bench.messages * share),
});

async function rounds(
  bench: ConsumeBench,
  what: Pick<Result, 'keyed' | 'partitions' | 'sizeBytes'>,
  others: readonly Contender[],
): Promise<Result> {
  const only = options.only?.split(',');
  const contenders = [
    natspocLibrary(bench),
    ...(options.beside ? [natspocLibrary(bench, BESIDE, options.beside)] : []),
    bareLoop(bench),
    ...others,
  ].filter(({ name }) => only === undefined || only.includes(name));
  // First an unmeasured run, so that every path is compiled.
  const warm = part(bench, 0.1);
  await interleave([natspocLibrary(warm), bareLoop(warm)], 1);
  const before = load();
  const figures = await interleave(contenders, Number(options.rounds), (name, round, figure) => {
    process.stderr.write(`${describe(what)}, round ${round + 1}, ${name}: ${thousands(figure)}\n`);
  });
  const ratios = measureClaims(what.keyed ? KEYED_CLAIMS : CLAIMS, figures);
  const { messages } = bench;
  return { ...what, messages, load: [before, load()], perSecond: Object.fromEntries(figures), ratios };
}

async function measure(connection: NatsConnection, url: string, partitions: number, sizeBytes: number) {
  const messages = Number(options.messages);
  const stream = `B${partitions}x${sizeBytes}`;
  const flags = { server: url, stream, prefix: `${stream}.events`, partitions: String(partitions) };
  const config = loadConfig({ flags, env: {} });
  const { manager, layout } = await openTopology(connection, config, { create: true });
  const summary = await new PublishRun({
    layout,
    openPort: natsPublishPort(connection, { stream }),
    source: generatedSource({ sizeBytes }, {}),
    maxMessages: messages,
    timeoutMs: 60_000,
    onFailure: 'stop',
  }).run();
  if (summary.confirmed !== messages)
    throw summary.firstError ?? new Error('not all messages were confirmed');
  const filters = Array.from({ length: partitions }, (_, n) => partitionSubject(layout.prefix, n));
  const bench: ConsumeBench = { connection, manager, stream, filters, config, messages };
  const main = partitions === 16;
  const result = await rounds(bench, { keyed: false, partitions, sizeBytes }, [
    ...(main ? [explicitAck(bench), kvLock(part(bench, LOCK_SHARE))] : []),
    strictOrder(part(bench, STRICT_SHARE)),
    ...(main ? [natspocProcess(bench, url, options.program)] : []),
  ]);
  await manager.streams.delete(stream);
  return result;
}

async function measureKeyed(connection: NatsConnection, url: string, sizeBytes: number): Promise<Result[]> {
  const stream = `K${sizeBytes}`;
  const manager = await connection.jetstreamManager();
  const messages = Number(options.messages);
  await fillOrders({ connection, manager, stream, messages }, sizeBytes);
  const results: Result[] = [];
  for (const partitions of numbers(options.keyed)) {
    const flags = { server: url, stream, key: 'subject:2', partitions: String(partitions) };
    const config = loadConfig({ flags, env: {} });
    const bench: ConsumeBench = { connection, manager, stream, filters: ['>'], config, messages };
    results.push(await rounds(bench, { keyed: true, partitions, sizeBytes }, []));
  }
  await manager.streams.delete(stream);
  return results;
}

const describe = ({ keyed, partitions, sizeBytes }: Pick<Result, 'keyed' | 'partitions' | 'sizeBytes'>) =>
  `${partitions} partitions${keyed ? ' by key' : ''}, ${sizeBytes} B`;

function showResult(result: Result): void {
  const { keyed, partitions, sizeBytes, messages, perSecond, ratios } = result;
  const busy = result.load.map((value) => value.toFixed(1)).join(' to ');
  show(`\n${describe(result)}, ${messages} stored, load ${busy}: messages a second, min / median / max`);
  for (const [name, figures] of Object.entries(perSecond)) {
    const { min, median, max } = spread(figures);
    show(`  ${name.padEnd(20)} ${[min, median, max].map((value) => thousands(value).padStart(7)).join(' ')}`);
  }
  const targeted = keyed || (partitions === 16 && sizeBytes === 128);
  for (const ratio of ratios) show(`  ${describeClaim(ratio, targeted)}`);
}

if (!existsSync(join(options.program, '../../dist/commands/consume.js'))) {
  process.stderr.write('Build first: npm run build\n');
  process.exit(2);
}
const storeDir = mkdtempSync(join(tmpdir(), 'natspoc-bench-'));
const server = await startServer({ binary: await ensureServerBinary({ env: process.env }), storeDir });
const { url } = server;
const connection = await connectNats(loadConfig({ flags: { server: url }, env: {} }), 'bench');
try {
  const results: Result[] = [];
  for (const sizeBytes of numbers(options.sizes)) {
    for (const partitions of numbers(options.partitions)) {
      // Numbers of partitions other than 16 are measured only with the first message size.
      if (partitions !== 16 && sizeBytes !== numbers(options.sizes)[0]) continue;
      results.push(await measure(connection, url, partitions, sizeBytes));
    }
    if (options.keyed) results.push(...(await measureKeyed(connection, url, sizeBytes)));
  }
  const machine = describeMachine(server.version);
  show(JSON.stringify(machine));
  show(
    `file storage, ${options.rounds} rounds in turn; time from the first message to the last commit or acknowledgement, for ndjson from spawn to exit`,
  );
  for (const result of results) showResult(result);
  if (options.json) writeFileSync(options.json, `${JSON.stringify({ machine, results }, null, 2)}\n`);
} finally {
  await connection.close();
  await server.stop();
  rmSync(storeDir, { recursive: true, force: true });
}
