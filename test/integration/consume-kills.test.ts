import assert from 'node:assert/strict';
import { closeSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'nats';
import { type Cli, runCli, startCli, stopAll } from '../support/cli.js';
import { withServer } from '../support/server.js';
import { withTempFolder } from '../support/temp.js';
import { until } from '../support/until.js';

/** `CONSUME_KILLS=200000 npx mocha test/integration/consume-kills.test.ts` for the long version. */
const MESSAGES = Number(process.env.CONSUME_KILLS ?? 10_000);
const KILLS = Math.max(3, Math.round(MESSAGES / 20_000));

/** Writes what it handles to one file, by appends that do not mix; never handles every hundredth message. */
const HANDLER = `
import { appendFileSync } from 'node:fs';
export default async (message, { key }) => {
  const number = Number(Buffer.from(message.data));
  if (number % 100 === 7) throw new Error('one of those');
  await new Promise((resolve) => setImmediate(resolve));
  appendFileSync(process.env.HANDLED, key + ' ' + number + '\\n');
};
`;

describe('consumers that are killed while messages fail', function () {
  this.timeout(300_000);
  const server = withServer();
  const folder = withTempFolder();
  afterEach(stopAll);

  it('handle or keep every message, and every key in order', async () => {
    const place = ['--server', server.url, '--stream', 'K', '--prefix', 'k.e', '--partitions', '16'];
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
      '--on-failure',
      'dead-letter',
    ];
    args.push('--max-attempts', '2', '--backoff', '1ms', '--probe-interval', '200ms');
    const start = (name: string): Cli => startCli([...args, '--name', name], { env: { HANDLED: handled } });
    const published = runCli([
      'publish',
      '{{Count}}',
      '--count',
      String(MESSAGES),
      '--keys',
      '500',
      '-q',
      ...place,
    ]);
    let members = ['a', 'b', 'c', 'd'].map(start);
    assert.equal((await published).code, 0);

    const done = () => statSync(handled).size;
    for (let kill = 0; kill < KILLS; kill++) {
      const size = done();
      await until('some more are handled', () => done() > size + 1_000, 30_000);
      const [victim, ...others] = members;
      victim?.signal('SIGKILL');
      members = [...others, start(`e${kill}`)];
    }
    const read = () =>
      readFileSync(handled, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => line.split(' ') as [key: string, number: string]);
    const expected = MESSAGES - Math.ceil((MESSAGES - 6) / 100);
    await until(
      'every message is handled that can be',
      () => new Set(read().map(([, number]) => number)).size >= expected,
      240_000,
    );
    for (const member of members) member.signal('SIGTERM');
    for (const member of members) assert.equal((await member.exited).code, 0);

    const lines = read();
    const seen = new Set<number>();
    const lastOf = new Map<string, number>();
    for (const [key, text] of lines) {
      const number = Number(text);
      // What was not committed when its owner was killed comes again; what comes for the first time is in order.
      if (seen.has(number)) continue;
      seen.add(number);
      assert.ok(number > (lastOf.get(key) ?? 0), `${key}: ${number} after ${lastOf.get(key)}`);
      lastOf.set(key, number);
    }
    const dead = await deadLetters(server.url, 'K_dead');
    for (let number = 1; number <= MESSAGES; number++) {
      const failing = number % 100 === 7;
      assert.equal(seen.has(number), !failing, `${number} is handled`);
      assert.equal(dead.filter((each) => each === number).length, failing ? 1 : 0, `${number} is kept once`);
    }
  });
});

/** The payloads of all dead letters. */
async function deadLetters(url: string, stream: string): Promise<number[]> {
  const connection = await connect({ servers: url });
  const manager = await connection.jetstreamManager();
  const { state } = await manager.streams.info(stream);
  const numbers: number[] = [];
  for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
    const { data } = await manager.streams.getMessage(stream, { seq });
    numbers.push(Number(new TextDecoder().decode(data)));
  }
  await connection.close();
  return numbers;
}
