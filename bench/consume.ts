/**
 * Consuming, measured against what else one can do from Node, in turn on one server:
 *
 *     npm run build && node --import tsx bench/consume.ts [--rounds 5] [--messages 1000000] [--partitions 16,1,64,256]
 *         [--sizes 128,1024] [--only NAME,NAME] [--json FILE]
 *
 * Prints messages a second (min / median / max of the rounds), and ratios of the same round: each beside its target and its
 * ceiling, which is the bare loop's own ratio. Time ends when the
 * server knows that everything is handled: with the last commit or acknowledgement. The slowest contender reads a
 * part of the messages only. NATS_SERVER_BIN chooses another nats-server.
 */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { PublishRun } from '../src/cli/publish/run.js';
import { generatedSource } from '../src/cli/publish/source.js';
import { loadConfig } from '../src/core/config/config.js';
import { connectNats } from '../src/core/nats/client/connection.js';
import { natsPublishPort } from '../src/core/nats/jetstream/pipeline.js';
import { openTopology } from '../src/core/nats/stream/topology.js';
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
import { kvLock } from './support/kv-lock.js';
import { describeMachine } from './support/machine.js';
import { interleave } from './support/rounds.js';
import { spread } from './support/stats.js';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    messages: { type: 'string', default: '1000000' },
    partitions: { type: 'string', default: '16,1,64,256' },
    sizes: { type: 'string', default: '128,1024' },
    only: { type: 'string' },
    program: { type: 'string', default: join(import.meta.dirname, '../bin/run.js') },
    json: { type: 'string' },
  },
});
/** Shares of the messages that the slowest contenders read. */
const STRICT_SHARE = 0.02;
const LOCK_SHARE = 0.01;

/** What is aimed at with 16 partitions and 128 B. */
const CLAIMS: Claim[] = [
  { numerator: 'natspoc', denominator: 'bare loop', atLeast: 0.85 },
  { numerator: 'natspoc', denominator: 'explicit ack', atLeast: 2 },
  { numerator: 'natspoc', denominator: 'max_ack_pending 1', atLeast: 12 },
  { numerator: 'natspoc', denominator: 'kv lock', atLeast: 50 },
  { numerator: 'ndjson to a file', denominator: 'bare loop', atLeast: 0.4 },
];

interface Result {
  partitions: number;
  sizeBytes: number;
  messages: number;
  perSecond: Record<string, number[]>;
  ratios: MeasuredClaim[];
}

const show = (text: string) => process.stdout.write(`${text}\n`);
const thousands = (value: number) => `${(value / 1_000).toFixed(value < 10_000 ? 1 : 0)}k`;
const numbers = (list: string) => list.split(',').map(Number);

async function measure(url: string, partitions: number, sizeBytes: number): Promise<Result> {
  const messages = Number(options.messages);
  const stream = `B${partitions}x${sizeBytes}`;
  const flags = { server: url, stream, prefix: `${stream}.events`, partitions: String(partitions) };
  const config = loadConfig({ flags, env: {} });
  const connection = await connectNats(config, 'bench');
  try {
    const topology = await openTopology(connection, config, { create: true });
    const summary = await new PublishRun({
      layout: topology.layout,
      openPort: natsPublishPort(connection, { stream }),
      source: generatedSource({ sizeBytes }, {}),
      maxMessages: messages,
      timeoutMs: 60_000,
      onFailure: 'stop',
    }).run();
    if (summary.confirmed !== messages) throw summary.firstError ?? new Error('not all were confirmed');
    const bench: ConsumeBench = { connection, topology, config, messages };
    const part = (share: number) => ({ ...bench, messages: Math.ceil(messages * share) });
    const main = partitions === 16;
    const only = options.only?.split(',');
    const contenders = [
      natspocLibrary(bench),
      bareLoop(bench),
      ...(main ? [explicitAck(bench), kvLock(part(LOCK_SHARE))] : []),
      strictOrder(part(STRICT_SHARE)),
      ...(main ? [natspocProcess(bench, url, options.program)] : []),
    ].filter(({ name }) => only === undefined || only.includes(name));
    // Once unmeasured, with few messages: the compiler has seen every path.
    const warm = part(0.1);
    await interleave([natspocLibrary(warm), bareLoop(warm)], 1);
    const figures = await interleave(contenders, Number(options.rounds), (name, round, figure) => {
      process.stderr.write(
        `${partitions} partitions, ${sizeBytes} B, round ${round + 1}, ${name}: ${thousands(figure)}\n`,
      );
    });
    const ratios = measureClaims(CLAIMS, figures);
    return { partitions, sizeBytes, messages, perSecond: Object.fromEntries(figures), ratios };
  } finally {
    await connection.close();
  }
}

function showResult({ partitions, sizeBytes, messages, perSecond, ratios }: Result): void {
  show(
    `\n${partitions} partitions, ${sizeBytes} B, ${messages} stored: messages a second, min / median / max`,
  );
  for (const [name, figures] of Object.entries(perSecond)) {
    const { min, median, max } = spread(figures);
    show(`  ${name.padEnd(20)} ${[min, median, max].map((value) => thousands(value).padStart(7)).join(' ')}`);
  }
  const targeted = partitions === 16 && sizeBytes === 128;
  for (const ratio of ratios) show(`  ${describeClaim(ratio, targeted)}`);
}

if (!existsSync(join(options.program, '../../dist/commands/consume.js'))) {
  process.stderr.write('Build first: npm run build\n');
  process.exit(2);
}
const storeDir = mkdtempSync(join(tmpdir(), 'natspoc-bench-'));
const server = await startServer({ binary: await ensureServerBinary({ env: process.env }), storeDir });
try {
  const results: Result[] = [];
  for (const sizeBytes of numbers(options.sizes)) {
    for (const partitions of numbers(options.partitions)) {
      // Other partition counts are of interest for the usual size only.
      if (partitions !== 16 && sizeBytes !== numbers(options.sizes)[0]) continue;
      results.push(await measure(server.url, partitions, sizeBytes));
    }
  }
  const machine = describeMachine(server.version);
  show(JSON.stringify(machine));
  show(
    `file storage, ${options.rounds} rounds in turn; from the first message to the last commit or acknowledgement, ndjson from spawn to exit`,
  );
  for (const result of results) showResult(result);
  if (options.json) writeFileSync(options.json, `${JSON.stringify({ machine, results }, null, 2)}\n`);
} finally {
  await server.stop();
  rmSync(storeDir, { recursive: true, force: true });
}
