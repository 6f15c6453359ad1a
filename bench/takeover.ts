/**
 * Compares natspoc with hand-written consumers when one of three consumers dies or leaves. The figures are the longest time in which a
 * partition handled no message, and the longest wait of a message. Messages that were handled twice or out of order are counted, too.
 *
 *     npm run build && node --import tsx bench/takeover.ts [--rounds 3] [--rate 50] [--json FILE]
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { loadConfig } from '../src/core/config/config.js';
import { connectNats } from '../src/core/nats/client/connection.js';
import { openTopology } from '../src/core/nats/stream/topology.js';
import { TestServer } from '../test/support/server.js';
import { until } from '../test/support/until.js';
import { WORK_MS } from './support/kv-lock.js';
import { describeMachine } from './support/machine.js';
import { spread } from './support/stats.js';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    rate: { type: 'string', default: '50' },
    json: { type: 'string' },
  },
});
const PARTITIONS = 8;
const MEMBERS = 3;
/** The simulated work for each message; see `support/worker.ts`. */
const WORK = `${WORK_MS}ms`;
const CALM_MS = 2_000;
const TIMEOUT_MS = 180_000;
const PROGRAM = join(import.meta.dirname, '../bin/run.js');
const WORKER = join(import.meta.dirname, 'support/worker.ts');
const KINDS = ['natspoc', 'strict', 'lock'] as const;
const NAMES = { natspoc: 'natspoc', strict: 'max_ack_pending 1', lock: 'kv lock' };
const SIGNALS = ['SIGKILL', 'SIGTERM'] as const;

type Kind = (typeof KINDS)[number];

/** The figures after one consumer has died or left. */
interface Takeover {
  kind: Kind;
  signal: (typeof SIGNALS)[number];
  pauseMs: number;
  waitMs: number;
  twice: number;
  outOfOrder: number;
}

interface Handled {
  partition: number;
  sequence: number;
  /** Milliseconds since 1970, by this machine's clock. */
  at: number;
  storedAt: number;
}

/**
 * A line that a consumer writes. Hand-written consumers add the time of handling, because lines of different pipes may arrive out of order.
 */
interface Line {
  partition: number;
  sequence: number;
  time: string;
  at?: number;
}

/** Consumers of one kind on their own stream, and the messages that they have handled. */
class Run {
  readonly handled: Handled[] = [];
  readonly #children: ChildProcess[] = [];
  readonly #seen = new Set<number>();
  /** All messages up to this sequence are handled. */
  #complete = 0;
  readonly #url: string;
  readonly #stream: string;
  readonly #kind: Kind;

  constructor(url: string, stream: string, kind: Kind) {
    this.#url = url;
    this.#stream = stream;
    this.#kind = kind;
  }

  start(): void {
    const [url, stream, prefix] = [this.#url, this.#stream, `${this.#stream}.e`];
    const args =
      this.#kind === 'natspoc'
        ? [PROGRAM, 'consume', '--server', url, '--stream', stream, '--output', 'ndjson', '--work', WORK]
        : ['--import', 'tsx', WORKER, url, stream, prefix, String(PARTITIONS), this.#kind];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] });
    this.#children.push(child);
    createInterface({ input: child.stdout }).on('line', (line) => {
      // A killed process may leave an incomplete line.
      if (!line.endsWith('}')) return;
      const { partition, sequence, time, at } = JSON.parse(line) as Line;
      this.handled.push({ partition, sequence, at: at ?? Date.now(), storedAt: Date.parse(time) });
      this.#seen.add(sequence);
      while (this.#seen.has(this.#complete + 1)) this.#complete++;
    });
  }

  publish(): void {
    const args = ['publish', 'event {{Count}}', '--rate', options.rate, '--keys', '100', '--quiet'];
    args.push('--server', this.#url, '--stream', this.#stream);
    this.#children.push(spawn(process.execPath, [PROGRAM, ...args], { stdio: 'ignore' }));
  }

  /** Sends a signal to the first consumer. */
  end(signal: NodeJS.Signals): void {
    this.#children[0]?.kill(signal);
  }

  /** Waits until all messages up to this sequence are handled. */
  passed(sequence: number): Promise<void> {
    return until(
      `${this.#kind} has handled ${sequence} messages`,
      () => this.#complete >= sequence,
      TIMEOUT_MS,
    );
  }

  close(): void {
    for (const child of this.#children) child.kill('SIGKILL');
  }
}

/** Computes the figures of a run. A pause or wait counts if it ends after `from`. */
function judge(handled: readonly Handled[], from: number): Omit<Takeover, 'kind' | 'signal'> {
  const last = new Map<number, { at: number; sequence: number }>();
  const seen = new Set<number>();
  let [pauseMs, waitMs, twice, outOfOrder] = [0, 0, 0, 0];
  for (const { partition, sequence, at, storedAt } of handled.toSorted((a, b) => a.at - b.at)) {
    const before = last.get(partition);
    if (before && at >= from) pauseMs = Math.max(pauseMs, at - before.at);
    if (at >= from && !seen.has(sequence)) waitMs = Math.max(waitMs, at - storedAt);
    if (seen.has(sequence)) twice++;
    else if (before && sequence < before.sequence) outOfOrder++;
    seen.add(sequence);
    last.set(partition, { at, sequence: Math.max(sequence, before?.sequence ?? 0) });
  }
  return { pauseMs: Math.round(pauseMs), waitMs: Math.round(waitMs), twice, outOfOrder };
}

async function measure(
  server: TestServer,
  kind: Kind,
  signal: Takeover['signal'],
  id: string,
): Promise<Takeover> {
  const stream = `T${id}`;
  const flags = { server: server.url, stream, prefix: `${stream}.e`, partitions: String(PARTITIONS) };
  const config = loadConfig({ flags, env: {} });
  const connection = await connectNats(config, 'bench');
  const { manager } = await openTopology(connection, config, { create: true });
  const lastSequence = async () => (await manager.streams.info(stream)).state.last_seq;
  const run = new Run(server.url, stream, kind);
  try {
    for (let i = 0; i < MEMBERS; i++) run.start();
    run.publish();
    await run.passed(1);
    await sleep(CALM_MS);
    await run.passed(await lastSequence());
    const from = Date.now();
    run.end(signal);
    await sleep(CALM_MS);
    await run.passed(await lastSequence());
    return { kind, signal, ...judge(run.handled, from) };
  } finally {
    run.close();
    await connection.close();
  }
}

const server = new TestServer();
await server.start();
try {
  const results: Takeover[] = [];
  for (let round = 0; round < Number(options.rounds); round++) {
    for (const signal of SIGNALS) {
      for (const kind of KINDS) {
        const takeover = await measure(server, kind, signal, `${round}${signal}${kind}`);
        results.push(takeover);
        process.stderr.write(`round ${round + 1}, ${signal}, ${NAMES[kind]}: ${takeover.pauseMs} ms\n`);
      }
    }
  }
  const machine = describeMachine(server.version);
  console.log(JSON.stringify(machine));
  console.log(
    `${MEMBERS} consumers, ${PARTITIONS} partitions, ${options.rate}/s, ${WORK} each, ${options.rounds} rounds in turn`,
  );
  console.log('                                 no message, ms    message waited, ms   handled    out of');
  console.log('                              min   med    max     min   med    max      twice     order');
  for (const signal of SIGNALS) {
    for (const kind of KINDS) {
      const own = results.filter((each) => each.kind === kind && each.signal === signal);
      const cells = (key: 'pauseMs' | 'waitMs') => {
        const { min, median, max } = spread(own.map((each) => each[key]));
        return [min, median, max].map((ms) => ms.toFixed(0).padStart(6)).join('');
      };
      const sum = (key: 'twice' | 'outOfOrder') => own.reduce((total, each) => total + each[key], 0);
      const counts = `${String(sum('twice')).padStart(10)} ${String(sum('outOfOrder')).padStart(9)}`;
      console.log(
        `${signal.padEnd(8)} ${NAMES[kind].padEnd(18)} ${cells('pauseMs')}  ${cells('waitMs')} ${counts}`,
      );
    }
  }
  if (options.json)
    writeFileSync(
      options.json,
      `${JSON.stringify({ machine, results: results.map((each) => ({ ...each, kind: NAMES[each.kind] })) }, null, 2)}\n`,
    );
} finally {
  await server.stop();
}
