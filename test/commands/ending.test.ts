import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { runCli, startCli, stopAll } from '../support/cli.js';
import { withServer } from '../support/server.js';
import { withTempFolder } from '../support/temp.js';
import { until } from '../support/until.js';

const ENTRY = fileURLToPath(new URL('../../bin/run.js', import.meta.url));

describe('a process that is asked to end', function () {
  this.timeout(90_000);
  const server = withServer();
  const folder = withTempFolder();
  let streams = 0;
  let stream: string;
  let place: string[];
  const children: ChildProcess[] = [];

  beforeEach(() => {
    stream = `E${++streams}`;
    place = ['--server', server.url, '--stream', stream, '--prefix', `${stream}.e`];
  });
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    await stopAll();
  });

  const publish = async (...args: string[]) => {
    const exit = await runCli(['publish', ...args, '--keys', '100', '-q', ...place]);
    assert.equal(exit.code, 0, exit.stderr);
  };
  /** Starts a command that writes to a pipe of 64 KiB. Only the returned function `read` reads the pipe. */
  const unread = (...args: string[]) => {
    const path = join(folder(), 'pipe');
    execFileSync('mkfifo', [path]);
    const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
    const child = spawn(process.execPath, [ENTRY, ...args, ...place], { stdio: ['ignore', fd, 'pipe'] });
    children.push(child);
    const read = (bytes: number): string => {
      const buffer = Buffer.alloc(bytes);
      try {
        return buffer.toString('utf8', 0, readSync(fd, buffer));
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'EAGAIN') return '';
        throw error;
      }
    };
    return { child, read, close: () => closeSync(fd) };
  };
  const numbers = (lines: string): number[] =>
    lines.split('\n').flatMap((line) => {
      const [, number] = /"data":"(\d+)"\}$/.exec(line) ?? [];
      return number === undefined ? [] : [Number(number)];
    });

  it('a member under nohup ignores the end of its terminal', async () => {
    const member = startCli(['consume', '--name', 'detached', ...place]);
    await until('the member has joined', () => member.stderr.some((line) => line.startsWith('joined')));
    member.signal('SIGHUP');
    await publish('x', '--count', '3');
    await until('the member still handles messages', () => member.stdout.length === 3);
    member.signal('SIGTERM');
    assert.equal((await member.exited).code, 0);
  });

  it('a member ends although its output is not read, and commits no message whose line was not written', async () => {
    // Each message is larger than the pipe.
    await publish('--size', '100KiB', '--count', '40');
    const { child, read, close } = unread('consume', '--output', 'ndjson', '--drain-timeout', '300ms');
    const stderr = child.stderr ? text(child.stderr) : Promise.resolve('');
    await until('something is written', () => read(1) !== '', 20_000);
    child.kill('SIGTERM');
    const [code] = await once(child, 'exit');
    assert.equal(code, 0, await stderr);
    assert.ok(!read(1_000_000).includes('\n'), 'no line was written completely');
    close();
    const rest = await runCli(['consume', '--output', 'ndjson', '--until-caught-up', ...place]);
    assert.equal(rest.stdout.split('\n').length, 40, 'no message counts as handled');
  });

  it('a tail ends although its output is not read', async () => {
    await publish('--size', '100KiB', '--count', '40');
    const { child, read, close } = unread('stream', 'tail', '--last', '40', '--json');
    await until('something is written', () => read(1) !== '');
    child.kill('SIGTERM');
    const [code] = await once(child, 'exit');
    assert.equal(code, 0);
    close();
  });

  it('consume --until-caught-up handles the messages that were stored at its start, while others are published', async () => {
    await publish('{{Count}}', '--count', '300');
    const busy = startCli(['publish', 'later', '--rate', '300', '--keys', '100', '-q', ...place]);
    const info = async (): Promise<string> => (await runCli(['stream', 'info', '--json', ...place])).stdout;
    await until('more is published', async () => /"lastSequence":(?!300\b)\d{3,}/.test(await info()));
    // The member is slower than the publisher, so it never reaches the end of its partitions.
    const args = ['--until-caught-up', '--output', 'ndjson', '--work', '30ms', '--duration', '60s'];
    const exit = await runCli(['consume', ...args, ...place]);
    assert.equal(exit.code, 0, exit.stderr);
    assert.deepEqual(
      numbers(exit.stdout).sort((a, b) => a - b),
      Array.from({ length: 300 }, (_, index) => index + 1),
    );
    assert.doesNotMatch(exit.stderr, /in (1m|60 s)/);
    busy.signal('SIGINT');
    await busy.exited;
  });
});
