/**
 * Compares two bulk indexers: a member of a group, and the loop that a program would use without a group. Both read all partitions in
 * batches of up to 500 messages or 200 ms. Each batch needs one HTTP call of 50 ms. The loop fetches from one consumer per partition,
 * without acknowledgements or commits. The number of messages makes all batches full, so no contender waits for more messages.
 *
 *     npm run build && node --import tsx bench/bulk.ts [--rounds 5] [--messages 104000] [--partitions 16] [--batch 500]
 *         [--answer-ms 50] [--json FILE]
 *
 * Prints messages a second. The time starts with the first call. For the loop it ends with the last answer, for natspoc with the last
 * commit. Both contenders are measured in turn on one server. Each ratio compares figures of one round. NATS_SERVER_BIN selects another
 * nats-server.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { AckPolicy, connect, DeliverPolicy, type NatsConnection, nuid } from 'nats';
import { ensureServerBinary, startServer } from '../src/local/server/index.js';
import { publicLibrary } from './support/built.js';
import { describeClaim, measureClaims } from './support/claims.js';
import { describeMachine } from './support/machine.js';
import { interleave } from './support/rounds.js';
import { spread } from './support/stats.js';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    messages: { type: 'string', default: '104000' },
    partitions: { type: 'string', default: '16' },
    batch: { type: 'string', default: '500' },
    'answer-ms': { type: 'string', default: '50' },
    json: { type: 'string' },
  },
});
const [messages, partitions, most] = [options.messages, options.partitions, options.batch].map(Number) as [
  number,
  number,
  number,
];
if (messages % (partitions * most) !== 0) {
  process.stderr.write(`--messages: must be a multiple of ${partitions * most}, to fill all batches\n`);
  process.exit(2);
}
const WAIT_MS = 200;
const FETCH_MS = 30_000;
const STREAM = 'BULK';
const PREFIX = 'bulk';
const CLAIMS = [{ numerator: 'natspoc', denominator: 'fetch loop', atLeast: 0.8 }];

const text = new TextDecoder();
const ndjson = (payloads: readonly Uint8Array[]): string =>
  payloads.map((data) => `${text.decode(data)}\n`).join('');

/** Makes the measured calls to the index. */
class Index {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: partitions });
  readonly #port: number;
  #startMs = 0;
  #taken = 0;
  #done: () => void = () => {};
  #all = Promise.resolve();

  constructor(port: number) {
    this.#port = port;
  }

  begin(): void {
    this.#startMs = 0;
    this.#taken = 0;
    this.#all = new Promise((resolve) => {
      this.#done = resolve;
    });
  }

  async bulk(payloads: readonly Uint8Array[]): Promise<void> {
    this.#startMs ||= performance.now();
    const body = ndjson(payloads);
    const answered = new Promise<string>((resolve, reject) => {
      const post = request({ agent: this.#agent, port: this.#port, method: 'POST' }, (response) => {
        let answer = '';
        response.on('data', (chunk) => {
          answer += chunk;
        });
        response.once('end', () => resolve(answer));
      });
      post.once('error', reject);
      post.end(body);
    });
    if (Number(await answered) !== payloads.length) throw new Error('the index did not take all messages');
    this.#taken += payloads.length;
    if (this.#taken >= messages) this.#done();
  }

  /** Waits until the index has taken all messages and `isKnown` returns true. Resolves with the messages a second. */
  async perSecond(isKnown: () => boolean = () => true): Promise<number> {
    await this.#all;
    while (!isKnown()) await new Promise((resolve) => setTimeout(resolve, 1));
    return (messages / (performance.now() - this.#startMs)) * 1_000;
  }
}

/** The contender without a group: one loop for each partition. */
async function fetchLoop(connection: NatsConnection, index: Index): Promise<number> {
  const manager = await connection.jetstreamManager();
  const names: string[] = [];
  for (let partition = 0; partition < partitions; partition++) {
    const { name } = await manager.consumers.add(STREAM, {
      name: `bench-${nuid.next()}`,
      filter_subject: `${PREFIX}.p.${partition}`,
      ack_policy: AckPolicy.None,
      deliver_policy: DeliverPolicy.All,
      mem_storage: true,
    });
    names.push(name);
  }
  index.begin();
  const loops = names.map(async (name) => {
    const consumer = await connection.jetstream().consumers.get(STREAM, name);
    for (let left = messages / partitions; left > 0; left -= most) {
      const batch: Uint8Array[] = [];
      for await (const { data } of await consumer.fetch({ max_messages: most, expires: FETCH_MS }))
        batch.push(data);
      if (batch.length !== most) throw new Error(`a batch has ${batch.length} messages`);
      await index.bulk(batch);
    }
  });
  const figure = await index.perSecond();
  await Promise.all(loops);
  for (const name of names) await manager.consumers.delete(STREAM, name);
  return figure;
}

let groups = 0;

/** The contender natspoc: one member of a group. */
async function member(connection: NatsConnection, index: Index): Promise<number> {
  const { joinGroup } = await publicLibrary();
  index.begin();
  const joined = await joinGroup({
    connection,
    stream: STREAM,
    prefix: PREFIX,
    group: `bulk-${process.pid}-${++groups}`,
    batchHandler: (batch) => index.bulk(batch.map(({ data }) => data)),
    batch: { messages: most, waitMs: WAIT_MS },
  });
  const figure = await index.perSecond(() =>
    joined.partitions.every(({ position, committed }) => committed === position),
  );
  await joined.leave();
  return figure;
}

async function fill(servers: string): Promise<void> {
  const { createPublisher } = await publicLibrary();
  await using publisher = await createPublisher({ servers, stream: STREAM, prefix: PREFIX, partitions });
  for (let i = 0; i < messages; i++) {
    const data = JSON.stringify({ id: i, title: `document ${i}`, tags: ['bulk', 'index'], at: i * 1_000 });
    const full = publisher.send({ partition: i % partitions, data });
    if (full) await full;
  }
  await publisher.flush();
  if (publisher.counters.confirmed !== messages) throw new Error('not all messages were confirmed');
}

const storeDir = mkdtempSync(join(tmpdir(), 'natspoc-bench-'));
const server = await startServer({ binary: await ensureServerBinary({ env: process.env }), storeDir });
const http = spawn(
  process.execPath,
  ['--import', 'tsx', join(import.meta.dirname, 'support/slow-http.ts'), options['answer-ms']],
  { stdio: ['pipe', 'pipe', 'inherit'] },
);
try {
  const [line] = (await once(http.stdout, 'data')) as [Buffer];
  const index = new Index(Number(line.toString()));
  await fill(server.url);
  const connection = await connect({ servers: server.url });
  const contenders = [
    { name: 'natspoc', measure: () => member(connection, index) },
    { name: 'fetch loop', measure: () => fetchLoop(connection, index) },
  ];
  const before = loadavg()[0];
  // An unmeasured run comes first, so that every path is compiled.
  await interleave(contenders, 1);
  const figures = await interleave(contenders, Number(options.rounds), (name, round, figure) => {
    process.stderr.write(`round ${round + 1}, ${name}: ${Math.round(figure)}/s\n`);
  });
  await connection.close();
  const ratios = measureClaims(CLAIMS, figures);
  const machine = { ...describeMachine(server.version), loadAverage: [before, loadavg()[0]] };
  const { json: _json, ...settings } = options;
  const report = { machine, settings, perSecond: Object.fromEntries(figures), ratios };
  process.stdout.write(`${JSON.stringify(machine)}\n`);
  for (const [name, values] of figures) {
    const { min, median, max } = spread(values);
    process.stdout.write(
      `${name.padEnd(12)} ${[min, median, max].map((each) => Math.round(each)).join(' / ')} messages a second\n`,
    );
  }
  for (const ratio of ratios) process.stdout.write(`${describeClaim(ratio, true)}\n`);
  if (options.json) writeFileSync(options.json, `${JSON.stringify(report, null, 2)}\n`);
} finally {
  http.stdin.end();
  await server.stop();
  rmSync(storeDir, { recursive: true, force: true });
}
