import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { createPublisher, openStream } from '../../src/core/index.js';
import { withServer } from '../support/server.js';
import { until } from '../support/until.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** `BULK_KILL=100000 npx mocha test/commands/bulk-kill.test.ts` runs the long version and prints its figures. */
const MESSAGES = Number(process.env.BULK_KILL ?? 8_000);
const PARTITIONS = 8;
const BATCH = Math.max(100, MESSAGES / 200);
const ANSWER_MS = 50;
/**
 * After a crash, only messages that were handled in the last `REPEATED_MS` before it can be handled again. This is one commit interval
 * plus the grace (SPEC.md, "Exactly-once effects").
 */
const REPEATED_MS = 900;

/** An index that answers each bulk call after a while, and records when it received each document. */
function openIndex() {
  const got = new Map<number, number[]>();
  const server = createServer(async (request, response) => {
    const lines = (await text(request)).split('\n').map(Number);
    const now = performance.now();
    for (const number of lines) got.set(number, [...(got.get(number) ?? []), now]);
    setTimeout(() => response.end(), ANSWER_MS);
  });
  return { got, server };
}

describe('a bulk indexer that is killed', function () {
  this.timeout(600_000);
  const nats = withServer();
  const { got, server } = openIndex();
  const running: ChildProcess[] = [];

  before(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterEach(() => {
    for (const child of running.splice(0)) child.kill('SIGKILL');
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  const place = () => ({ servers: nats.url, stream: 'BULK' });

  const start = (name: string) => {
    const { port } = server.address() as AddressInfo;
    const options = { ...place(), group: 'search', name, batch: { messages: BATCH, waitMs: 200 } };
    const program = `import { joinGroup, textOf } from 'natspoc';
      const member = await joinGroup({
        ...${JSON.stringify(options)},
        batchHandler: async (messages) => {
          const body = messages.map(({ data }) => textOf(data)).join('\\n');
          const response = await fetch('http://127.0.0.1:${port}', { method: 'POST', body });
          await response.text();
        },
      });
      process.once('SIGTERM', () => void member.leave());`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      cwd: ROOT,
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    running.push(child);
    return { child, exited: once(child, 'close').then(([code, signal]) => code ?? signal) };
  };

  it('a killed bulk indexer loses nothing: the next member continues, and repeats at most the uncommitted messages', async () => {
    const publisher = await createPublisher({ ...place(), prefix: 'bulk', partitions: PARTITIONS });
    for (let i = 0; i < MESSAGES; i++) {
      const full = publisher.send({ partition: i % PARTITIONS, data: String(i) });
      if (full) await full;
    }
    await publisher.close();

    const first = start('first');
    await until('a third of the documents is indexed', () => got.size >= MESSAGES / 3, 60_000);
    const killedAt = performance.now();
    first.child.kill('SIGKILL');
    assert.equal(await first.exited, 'SIGKILL');
    const before = got.size;
    assert.ok(before < MESSAGES, 'the member was killed too late');
    const second = start('second');
    await until('all documents are indexed', () => got.size === MESSAGES, 120_000);
    await using stream = await openStream(place());
    const group = stream.group('search');
    const lag = async () => (await group.status()).partitions.reduce((sum, each) => sum + (each.lag ?? 0), 0);
    await until('all messages are committed', async () => (await lag()) === 0, 30_000);
    second.child.kill('SIGTERM');
    assert.equal(await second.exited, 0);

    const twice = [...got].filter(([, at]) => at.length > 1).map(([number]) => number);
    assert.ok([...got.values()].every((at) => at.length <= 2));
    const repeated = Array.from({ length: PARTITIONS }, (_, partition) =>
      twice.filter((number) => number % PARTITIONS === partition).sort((a, b) => a - b),
    );
    for (const numbers of repeated) {
      const earliest = killedAt - ((got.get(numbers[0] ?? -1) ?? [])[0] ?? killedAt);
      assert.ok(earliest <= REPEATED_MS, `repeated: handled ${earliest} ms before the kill`);
      // The repeated messages of a partition have no gap.
      assert.ok(numbers.every((number, i) => i === 0 || number === (numbers[i - 1] ?? 0) + PARTITIONS));
    }
    if (process.env.BULK_KILL)
      process.stderr.write(
        `${MESSAGES} messages, batches of ${BATCH}: killed after ${before}; handled twice: ${twice.length}, ` +
          `by partition ${repeated.map(({ length }) => length).join(' ')}\n`,
      );
  });
});
