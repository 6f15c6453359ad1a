import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { promisify } from 'node:util';
import { connect, DiscardPolicy, type JetStreamManager } from 'nats';
import { type Cli, runCli, startCli, stopAll } from '../support/cli.js';
import { withTempFolder } from '../support/temp.js';
import { until } from '../support/until.js';

/** The pid of the publisher that the process `pid` has started. */
async function publisherOf(pid: number): Promise<number> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,ppid=,args=']);
  const found = stdout.split('\n').find((line) => new RegExp(`^ *\\d+ +${pid} .* publish `).test(line));
  return Number(/\d+/.exec(found ?? '')?.[0]);
}

/** Waits until the publisher of the demo has published, and then calls `act`. */
async function published(demo: Cli, act: (manager: JetStreamManager) => Promise<unknown>): Promise<void> {
  const url = () => /nats:\/\/\S+/.exec(demo.stdout.join('\n'))?.[0];
  await until('the server has started', () => url() !== undefined);
  const connection = await connect({ servers: url() ?? '' });
  try {
    const manager = await connection.jetstreamManager();
    await until('a message is stored', async () => {
      // The server exists before the stream.
      const found = await manager.streams.info('EVENTS').catch(() => undefined);
      return (found?.state.messages ?? 0) > 0;
    });
    await act(manager);
  } finally {
    await connection.close();
  }
}

describe('natspoc demo', function () {
  this.timeout(90_000);
  const folder = withTempFolder();
  afterEach(stopAll);

  const start = (args: readonly string[]) =>
    startCli(['demo', '--consumers', '2', '--partitions', '6', '--rate', '300', ...args], {
      env: { TMPDIR: folder() },
    });

  it('the demo prints its verdict as one JSON object, and leaves nothing behind', async () => {
    const { code, stdout, stderr } = await start(['--duration', '4s', '--json']).exited;
    assert.equal(code, 0, stderr);
    assert.equal(stderr, '');
    const result: unknown = JSON.parse(stdout);
    assert.ok(
      typeof result === 'object' && result !== null && 'published' in result && 'takeovers' in result,
    );
    const { published, takeovers } = result as {
      published: number;
      takeovers: { event: string; partitions: number[] }[];
    };
    assert.ok(published > 300, `published ${published}`);
    assert.deepEqual(result, { ...result, handled: published, lost: 0, outOfOrder: 0, foreign: 0, ok: true });
    assert.deepEqual(
      takeovers.map(({ event, partitions }) => [event, partitions.length]),
      [
        ['join', 2],
        ['leave', 2],
        ['kill', 3],
      ],
    );
    assert.deepEqual(readdirSync(folder()), []);
  });

  it('the demo prints the events for people', async () => {
    const { code, stdout } = await start(['--duration', '2s']).exited;
    assert.equal(code, 0);
    for (const part of [
      'alice leaves (SIGTERM)',
      'carol is killed (SIGKILL)',
      'claimed',
      'lost          0',
      'OK: nothing lost',
    ]) {
      assert.ok(stdout.includes(part), `${part} in:\n${stdout}`);
    }
  });

  it('the demo can kill the leader of a cluster, too, and nothing is lost or left behind', async function () {
    this.timeout(240_000);
    const { code, stdout, stderr } = await start(['--servers', '3', '--duration', '4s', '--json']).exited;
    assert.equal(code, 0, stderr + stdout);
    const result: unknown = JSON.parse(stdout);
    assert.ok(result instanceof Object && 'takeovers' in result && Array.isArray(result.takeovers));
    assert.deepEqual(result, { ...result, lost: 0, outOfOrder: 0, ok: true });
    const [event, ms] = [result.takeovers.at(-1)?.event, result.takeovers.at(-1)?.pauseMs];
    assert.equal(event, 'server kill');
    assert.ok(ms > 0);
    assert.deepEqual(readdirSync(folder()), []);
    const even = await start(['--servers', '2']).exited;
    assert.equal(even.code, 2);
    assert.equal(even.stderr, 'Error: --servers: a cluster has 3 or 5 servers, not 2.');
  });

  it('the demo fails when its publisher is killed', async () => {
    const demo = start(['--duration', '60s']);
    await published(demo, async () => process.kill(await publisherOf(demo.pid), 'SIGKILL'));
    const { code, stdout, stderr } = await demo.exited;
    assert.equal(code, 1, stdout);
    assert.equal(stderr, 'Error: The publisher ended too early, by SIGKILL.');
    assert.deepEqual(readdirSync(folder()), []);
  });

  it('the demo fails with the reason when its publisher gives up', async () => {
    const demo = start(['--duration', '60s']);
    await published(demo, ({ streams }) =>
      streams.update('EVENTS', { max_msgs: 1, discard: DiscardPolicy.New }),
    );
    const { code, stdout, stderr } = await demo.exited;
    assert.equal(code, 1, stdout);
    assert.match(stderr, /^Error: The publisher ended too early, with exit code 4: .*maximum messages.*$/);
    assert.deepEqual(readdirSync(folder()), []);
  });

  it('the demo accepts the same rates as publish', async () => {
    const { code, stderr } = await runCli(['demo', '--rate', '20000000']);
    assert.equal(code, 2);
    assert.match(stderr, /^Error: --rate: "20000000" is not a rate .* up to 10000000 a second\.$/);
    const slow = await runCli(['demo', '--rate', '0.0000001', '--duration', '1s']);
    assert.equal(slow.code, 0, slow.stderr);
    assert.match(slow.stdout, /published +1\n/);
  });

  for (const signal of ['SIGINT', 'SIGKILL'] as const) {
    it(`the demo leaves nothing behind when it ends by ${signal}`, async () => {
      const demo = start(['--duration', '60s']);
      await until('the run starts', () => demo.stdout.some((line) => line.includes('the publisher starts')));
      demo.signal(signal);
      const exit = await demo.exited;
      if (signal === 'SIGINT') {
        assert.equal(exit.code, 1);
        assert.match(exit.stderr, /^Error: The demo was stopped before it finished\.$/);
      }
      await until('the folders are removed', () => readdirSync(folder()).length === 0);
    });
  }
});
