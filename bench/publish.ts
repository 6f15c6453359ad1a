/**
 * Compares publishing with alternatives in Node. All contenders are measured in turn on one server:
 *
 *     npm run build && node --import tsx bench/publish.ts [--rounds 7] [--messages 1000000] [--sizes 128,1024] [--seconds 20]
 *         [--json FILE]
 *
 * Prints messages a second (min / median / max of the rounds), ratios between two contenders in the same round, and how exactly the
 * publisher keeps a rate. NATS_SERVER_BIN selects another nats-server.
 */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadConfig } from '../src/core/config/config.js';
import { connectNats } from '../src/core/nats/client/connection.js';
import { openTopology } from '../src/core/nats/stream/topology.js';
import { ensureServerBinary, startServer } from '../src/local/server/index.js';
import { type Claim, describeClaim, type MeasuredClaim, measureClaims } from './support/claims.js';
import { describeMachine } from './support/machine.js';
import { measurePace, type PaceResult } from './support/pace.js';
import {
  bareLoop,
  jetStreamPublish,
  natspocLibrary,
  natspocProcess,
  type PublishBench,
} from './support/publishers.js';
import { interleave } from './support/rounds.js';
import { spread } from './support/stats.js';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    messages: { type: 'string', default: '1000000' },
    sizes: { type: 'string', default: '128,1024' },
    'in-flight': { type: 'string', default: '4000' },
    seconds: { type: 'string', default: '20' },
    program: { type: 'string', default: join(import.meta.dirname, '../bin/run.js') },
    json: { type: 'string' },
  },
});
const PARTITIONS = 16;
const SIZES = options.sizes.split(',').map(Number);
const PACED_BYTES = 128;
const RATES = [10, 1_000, 20_000, 100_000];
/** The share of the messages that `js.publish` sends, because it is slow. */
const JS_PUBLISH_SHARE = 0.1;

const CLAIMS: Claim[] = [
  { numerator: 'natspoc', denominator: 'js.publish', atLeast: 5 },
  { numerator: 'natspoc', denominator: 'bare loop', atLeast: 0.9 },
  { numerator: 'natspoc --dedupe', denominator: 'bare loop, message ids', atLeast: 0.85 },
  { numerator: 'process', denominator: 'js.publish', atLeast: 5 },
  { numerator: 'process', denominator: 'bare loop', atLeast: 0.9 },
  { numerator: 'process --dedupe', denominator: 'bare loop, message ids', atLeast: 0.85 },
];

interface SizeResult {
  sizeBytes: number;
  perSecond: Record<string, number[]>;
  ratios: MeasuredClaim[];
}

const thousands = (value: number) => `${(value / 1_000).toFixed(0)}k`;
const show = (text: string) => process.stdout.write(`${text}\n`);

async function measureSize(bench: PublishBench, url: string): Promise<SizeResult> {
  const slow = { ...bench, messages: Math.ceil(bench.messages * JS_PUBLISH_SHARE) };
  const contenders = [
    jetStreamPublish(slow),
    bareLoop(bench, false),
    natspocLibrary(bench, false),
    bareLoop(bench, true),
    natspocLibrary(bench, true),
    natspocProcess(bench, url, options.program, false),
    natspocProcess(bench, url, options.program, true),
  ];
  // First an unmeasured run, so that every path is compiled and the server's files exist.
  await interleave(contenders.slice(0, 5), 1);
  const figures = await interleave(contenders, Number(options.rounds), (name, round, figure) => {
    process.stderr.write(`${bench.sizeBytes} B, round ${round + 1}, ${name}: ${thousands(figure)}\n`);
  });
  const ratios = measureClaims(CLAIMS, figures);
  return { sizeBytes: bench.sizeBytes, perSecond: Object.fromEntries(figures), ratios };
}

function showSize({ sizeBytes, perSecond, ratios }: SizeResult): void {
  show(`\n${sizeBytes} B: messages a second, min / median / max`);
  for (const [name, figures] of Object.entries(perSecond)) {
    const { min, median, max } = spread(figures);
    show(`  ${name.padEnd(24)} ${[min, median, max].map((value) => thousands(value).padStart(6)).join(' ')}`);
  }
  for (const ratio of ratios) show(`  ${describeClaim(ratio, true)}`);
}

function showPace(results: readonly PaceResult[], unpaced: readonly number[] | undefined): void {
  show('\nRates: messages a second, windows of 100 ms, latency from the scheduled time');
  show('   target     actual   error   window min-max   missed      p50      p99      max');
  for (const result of results) {
    const cells = [
      String(result.target).padStart(9),
      result.actual.toFixed(1).padStart(10),
      `${result.errorPercent.toFixed(2)}%`.padStart(7),
      `${result.windowMin}-${result.windowMax}`.padStart(16),
      `${result.missedMs.toFixed(0)} ms`.padStart(8),
      ...[result.p50Ms, result.p99Ms, result.maxMs].map((ms) => `${ms.toFixed(1)} ms`.padStart(8)),
    ];
    show(cells.join(' '));
  }
  if (unpaced)
    show(
      `  without a rate, ${PACED_BYTES} B: ${thousands(spread(unpaced).median)}, which no rate can exceed`,
    );
}

if (!existsSync(join(options.program, '../../dist/commands/publish.js'))) {
  process.stderr.write('Build first: npm run build\n');
  process.exit(2);
}
const storeDir = mkdtempSync(join(tmpdir(), 'natspoc-bench-'));
const server = await startServer({ binary: await ensureServerBinary({ env: process.env }), storeDir });
try {
  const config = loadConfig({ flags: { server: server.url, partitions: String(PARTITIONS) }, env: {} });
  const connection = await connectNats(config, 'bench');
  const { manager, stream, layout } = await openTopology(connection, config, { create: true });
  const base = { connection, manager, stream, layout, inFlight: Number(options['in-flight']) };
  // Rates are measured first, because later the disk is busy and the heaps are full.
  const pace: PaceResult[] = [];
  for (const rate of RATES) {
    const bench = { ...base, sizeBytes: PACED_BYTES, messages: 0 };
    if (Number(options.seconds) > 0)
      pace.push(await measurePace(bench, rate, Number(options.seconds) * 1_000));
  }
  const sizes: SizeResult[] = [];
  for (const sizeBytes of SIZES) {
    sizes.push(await measureSize({ ...base, sizeBytes, messages: Number(options.messages) }, server.url));
  }
  await connection.close();
  const machine = describeMachine(server.version);
  show(JSON.stringify(machine));
  show(
    `${PARTITIONS} partitions, file storage, ${base.inFlight} in flight, ${options.rounds} rounds in turn`,
  );
  for (const size of sizes) showSize(size);
  const unpaced = sizes.find(({ sizeBytes }) => sizeBytes === PACED_BYTES)?.perSecond.natspoc;
  if (pace.length > 0) showPace(pace, unpaced);
  if (options.json) writeFileSync(options.json, `${JSON.stringify({ machine, sizes, pace }, null, 2)}\n`);
} finally {
  await server.stop();
  rmSync(storeDir, { recursive: true, force: true });
}
