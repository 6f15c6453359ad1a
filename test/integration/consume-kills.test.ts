import assert from 'node:assert/strict';
import { closeSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'nats';
import { Random } from '../simulation/model/random.js';
import { type Cli, runCli, startCli, stopAll } from '../support/cli.js';
import { withServer } from '../support/server.js';
import { withTempFolder } from '../support/temp.js';
import { until } from '../support/until.js';

/** `CONSUME_KILLS=200000 npx mocha test/integration/consume-kills.test.ts` runs the long version. */
const MESSAGES = Number(process.env.CONSUME_KILLS ?? 10_000);
const KILLS = Math.max(3, Math.round(MESSAGES / 20_000));
/** The seed decides which member is killed, and when. `KILLS_SEED` repeats a run, apart from the timing of processes. */
const SEED = Number(process.env.KILLS_SEED ?? Date.now() % 1_000_000);

const fails = (number: number): boolean => number % 100 === 7;

/** A handler that writes its messages to one file, with atomic appends. It always fails at every hundredth message. */
const HANDLER = `
import { appendFileSync } from 'node:fs';
export default async (message, { key }) => {
  const number = Number(Buffer.from(message.data));
  if (number % 100 === 7) throw new Error('one of those');
  // The delays differ, so a message that starts too early is also written too early.
  await new Promise((resolve) => (number % 7 === 0 ? setTimeout(resolve, 5) : setImmediate(resolve)));
  appendFileSync(process.env.HANDLED, key + ' ' + number + '\\n');
};
`;

describe('members that are killed while messages fail', function () {
  this.timeout(600_000);
  const server = withServer();
  const folder = withTempFolder();
  afterEach(stopAll);

  it(`every message is handled or becomes a dead letter, each key in order (seed ${SEED})`, async () => {
    const place = ['--server', server.url, '--stream', 'K', '--prefix', 'k.e', '--partitions', '16'];
    const random = new Random(SEED);
    const handler = join(folder(), 'handler.mjs');
    const handled = join(folder(), 'handled');
    writeFileSync(handler, HANDLER);
    closeSync(openSync(handled, 'a'));
    const args = [
      'consume',
      ...place,
      '--handler',
      handler,
      '--concurrency',
      '8',
      '--probe-interval',
      '200ms',
    ];
    args.push('--on-failure', 'dead-letter', '--max-attempts', '2', '--backoff', '1ms');
    const start = (name: string): Cli => startCli([...args, '--name', name], { env: { HANDLED: handled } });
    // With few keys for each partition, several messages of a key are always in memory.
    const published = runCli([
      ...['publish', '{{Count}}', '--count', String(MESSAGES), '--keys', '60', '-q'],
      ...place,
    ]);
    let members = ['a', 'b', 'c', 'd'].map(start);
    assert.equal((await published).code, 0);

    const read = () =>
      readFileSync(handled, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => line.split(' ') as [key: string, number: string]);
    const numbers = Array.from({ length: MESSAGES }, (_, index) => index + 1);
    const expected = numbers.filter((number) => !fails(number));
    // Estimates the size of all lines, such as "key-25 12345". The estimate is exact enough to spread the kills over the run.
    const allBytes = expected.reduce((sum, number) => sum + 8 + String(number).length, 0);
    const size = () => statSync(handled).size;
    for (let kill = 0; kill < KILLS; kill++) {
      const target = ((kill + random.next()) / (KILLS + 0.5)) * allBytes;
      await until('more messages are handled', () => size() >= target, 240_000);
      const victim = members[random.int(0, members.length - 1)];
      victim?.signal('SIGKILL');
      members = [...members.filter((member) => member !== victim), start(`e${kill}`)];
    }
    let looked = -1;
    const isDone = (): boolean => {
      if (size() === looked) return false;
      looked = size();
      return new Set(read().map(([, number]) => number)).size >= expected.length;
    };
    await until('all valid messages are handled', isDone, 60_000 + MESSAGES * 2);
    // The last member may have just started. If a signal arrived before the member handles signals, the process would end at once.
    for (const member of members) await member.note(/^joined group/);
    for (const member of members) member.signal('SIGTERM');
    for (const member of members) assert.equal((await member.exited).code, 0);

    const seen = new Set<number>();
    const lastOf = new Map<string, number>();
    for (const [key, text] of read()) {
      const number = Number(text);
      // After a kill, uncommitted messages are handled again. New messages are in order.
      if (seen.has(number)) continue;
      seen.add(number);
      assert.ok(number > (lastOf.get(key) ?? 0), `${key}: ${number} after ${lastOf.get(key)}`);
      lastOf.set(key, number);
    }
    const dead = (await deadLetters(server.url, 'K_dead')).sort((a, b) => a - b);
    assert.deepEqual(
      expected.filter((number) => !seen.has(number)),
      [],
      'handled',
    );
    assert.deepEqual(dead, numbers.filter(fails), 'each failed message is kept once');
  });
});

async function deadLetters(url: string, stream: string): Promise<number[]> {
  const connection = await connect({ servers: url });
  const manager = await connection.jetstreamManager();
  const { state } = await manager.streams.info(stream);
  const numbers: number[] = [];
  for (let seq = state.first_seq; state.messages > 0 && seq <= state.last_seq; seq++) {
    const { data } = await manager.streams.getMessage(stream, { seq });
    numbers.push(Number(new TextDecoder().decode(data)));
  }
  await connection.close();
  return numbers;
}
