import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { startCli, stopAll } from '../support/cli.js';
import { withServer } from '../support/server.js';
import { withTempFolder } from '../support/temp.js';
import { until } from '../support/until.js';

const ENTRY = fileURLToPath(new URL('../../bin/run.js', import.meta.url));
/** No server listens at this address, so the exit code is 3. */
const UNREACHABLE = ['leases', '--server', 'nats://127.0.0.1:1'];

describe('output without a reader', function () {
  this.timeout(30_000);
  const temp = withTempFolder();
  const server = withServer();
  afterEach(stopAll);

  for (const [what, stream, args] of [
    ['an error as JSON on stdout', 'stdout', [...UNREACHABLE, '--json']],
    ['an error on stderr', 'stderr', UNREACHABLE],
  ] as const) {
    it(`${what} without a reader: the command gives its exit code, without a stack trace`, async () => {
      const cli = startCli(args);
      cli.child[stream]?.destroy();
      const exit = await cli.exited;
      assert.equal(exit.code, 3, exit.stderr);
      assert.equal(exit.stderr, '');
      assert.equal(exit.stdout, '');
    });
  }

  it('consume continues if its notes on stderr have no reader', async () => {
    const place = ['--server', server.url, '--stream', 'GONE', '--prefix', 'gone.e'];
    const cli = startCli(['consume', ...place, '--from', 'first', '--output', 'ndjson', '--count', '1']);
    cli.child.stderr?.destroy();
    const published = await startCli(['publish', 'x', '-q', ...place]).exited;
    assert.equal(published.code, 0, published.stderr);
    const exit = await cli.exited;
    assert.equal(exit.code, 0);
    assert.equal(exit.stdout.split('\n').length, 1);
  });

  for (const count of [20, 3_000]) {
    it(`the messages of unread lines are handled again if a reader takes 3 of ${count} lines`, async () => {
      const name = `HEAD${count}`;
      const place = ['--server', server.url, '--stream', name, '--prefix', `${name}.e`];
      const published = await startCli(['publish', 'x', '--count', String(count), '-q', ...place]).exited;
      assert.equal(published.code, 0, published.stderr);
      const pipeline = '"$0" "$@" | head -n 3';
      // The interval is long, so that `head` has ended before the first commit, even on a busy machine.
      const command = [process.execPath, ENTRY, 'consume', ...place, '--commit-interval', '2s'];
      const shell = spawn('sh', ['-c', pipeline, ...command, '--output', 'ndjson'], {
        cwd: temp(),
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      const taken = await text(shell.stdout);
      assert.equal(taken.trimEnd().split('\n').length, 3);
      const rest = await startCli(['consume', ...place, '--output', 'ndjson', '--until-caught-up']).exited;
      assert.equal(rest.code, 0, rest.stderr);
      assert.equal(rest.stdout.split('\n').length, count, 'the reader was gone within a commit interval');
    });
  }

  it('consume ends when the reader of its output closes the pipe after all messages are committed', async () => {
    const place = ['--server', server.url, '--stream', 'IDLE', '--prefix', 'idle.e'];
    const published = await startCli(['publish', 'x', '-q', ...place]).exited;
    assert.equal(published.code, 0, published.stderr);
    const path = join(temp(), 'fifo');
    execFileSync('mkfifo', [path]);
    const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const pipe = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
    const args = [ENTRY, 'consume', ...place, '--output', 'ndjson'];
    const child = spawn(process.execPath, args, {
      cwd: temp(),
      stdio: ['ignore', pipe, 'ignore'],
    });
    const exited = once(child, 'exit');
    closeSync(pipe);
    await until('the message is committed', async () => {
      const { stdout } = await startCli(['leases', '--json', ...place.slice(0, 4)]).exited;
      return stdout.includes('"position":1,');
    });
    closeSync(reader);
    assert.deepEqual(await exited, [0, null]);
  });

  /** Runs a command whose `fd` is a full pipe with non-blocking writes. */
  const onFullPipe = (fd: 1 | 2, args: readonly string[]) => {
    const path = join(temp(), 'fifo');
    execFileSync('mkfifo', [path]);
    // The reading end is opened separately. It stays non-blocking even if the command makes the writing end blocking.
    const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const pipe = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
    let filled = 0;
    try {
      for (;;) filled += writeSync(pipe, Buffer.alloc(4_096, '.'));
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, 'EAGAIN');
    }
    const child = spawn(process.execPath, [ENTRY, ...args], {
      cwd: temp(),
      stdio: ['ignore', fd === 1 ? pipe : 'ignore', fd === 2 ? pipe : 'ignore'],
    });
    const closed = once(child, 'close');
    return { pipe, reader, filled, closed };
  };

  for (const [what, fd, args] of [
    ['stdout', 1, [...UNREACHABLE, '--json']],
    ['stderr', 2, UNREACHABLE],
  ] as const) {
    it(`a command gives its exit code after a moment if its ${what} is a full pipe`, async () => {
      const { pipe, reader, filled, closed } = onFullPipe(fd, args);
      const [code] = await closed;
      closeSync(pipe);
      const rest = Buffer.alloc(filled * 2);
      let length = 0;
      for (let count = -1; count !== 0; length += count) {
        count = readSync(reader, rest, length, rest.length - length, null);
      }
      closeSync(reader);
      assert.equal(code, 3, rest.toString('utf8', filled, length));
      assert.equal(length, filled, 'nothing was written, not even a stack');
    });
  }
});
