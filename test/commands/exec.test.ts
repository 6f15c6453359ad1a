import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isRunning } from '../../src/local/server/process.js';
import { runCli, startCli, stopAll } from '../support/cli.js';
import { withPlace } from '../support/place.js';
import { withServer } from '../support/server.js';
import { withTempFolder } from '../support/temp.js';
import { until } from '../support/until.js';

const ENTRY = fileURLToPath(new URL('../../bin/run.js', import.meta.url));

describe('the command of consume --exec', function () {
  this.timeout(60_000);
  const server = withServer();
  const folder = withTempFolder();
  const place = withPlace(server, 'X');
  afterEach(stopAll);

  const publish = async (...args: string[]) => {
    const exit = await runCli(['publish', ...args, '-q', ...place()]);
    assert.equal(exit.code, 0, exit.stderr);
  };

  it('a command that cannot be started fails its message, and no other process gets a signal', async () => {
    await publish('{{Count}}', '--count', '200', '--keys', '100');
    const consume = [
      process.execPath,
      ENTRY,
      'consume',
      ...place(),
      '--exec',
      // Long enough that many commands run at the same time, even on a busy machine.
      'sleep 4',
      '--concurrency',
      '64',
    ];
    // The shell and the command have their own process group. A wrong signal would kill this group, and the test would notice.
    const shell = spawn(
      'sh',
      [
        '-c',
        'ulimit -n 70; "$@"; echo "exit $?"',
        'sh',
        ...consume,
        '--duration',
        '8s',
        '--max-attempts',
        '1',
      ],
      { detached: true, stdio: ['ignore', 'pipe', 'pipe'] },
    );
    let [stdout, stderr] = ['', ''];
    shell.stdout.on('data', (chunk) => {
      stdout += chunk;
    });
    shell.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    const [code, signal] = await once(shell, 'close');
    assert.deepEqual({ code, signal, stdout }, { code: 0, signal: null, stdout: 'exit 1\n' });
    assert.match(stderr, /cannot start the command: too many open files \(EMFILE\)/);
  });

  it('a command is ended with all its children after its timeout, even children that ignore SIGTERM and closed their output', async () => {
    await publish('1');
    const stubborn = join(folder(), 'stubborn');
    const command = `sh -c 'trap "" TERM; echo $$ > "${stubborn}"; exec sleep 600' >/dev/null 2>&1 & wait`;
    const exit = await runCli([
      'consume',
      ...place(),
      '--exec',
      command,
      '--handler-timeout',
      '1s',
      '--max-attempts',
      '1',
      '--on-failure',
      'skip',
      '--until-caught-up',
    ]);
    assert.equal(exit.code, 0, exit.stderr);
    const pid = Number(readFileSync(stubborn, 'utf8'));
    assert.ok(pid > 1);
    await until('the child of the command has ended', () => !isRunning(pid));
  });

  it('a command is ended with all its children when the member ends immediately', async () => {
    await publish('1');
    const stubborn = join(folder(), 'stubborn');
    const command = `sh -c 'trap "" TERM INT; echo $$ > "${stubborn}"; exec sleep 600' & wait`;
    const cli = startCli(['consume', ...place(), '--exec', command, '--drain-timeout', '1h']);
    await until('the command runs', () => existsSync(stubborn) && readFileSync(stubborn, 'utf8') !== '');
    cli.signal('SIGINT');
    await cli.note(/leaving/);
    cli.signal('SIGINT');
    assert.equal((await cli.exited).code, 130);
    const pid = Number(readFileSync(stubborn, 'utf8'));
    await until('the child of the command has ended', () => !isRunning(pid));
  });

  it('a command is not run again for a message after exit code 65', async () => {
    await publish('{{Count}}', '--count', '3');
    const command = 'echo run >&2; read -r line; [ "$line" != 2 ] || exit 65; echo "$line"';
    const args = ['--exec', command, '--on-failure', 'dead-letter', '--partitions', '8', '--until-caught-up'];
    const exit = await runCli(['consume', ...place(), ...args]);
    assert.equal(exit.code, 0, exit.stderr);
    assert.deepEqual(exit.stdout.split('\n').sort(), ['1', '3']);
    assert.equal(exit.stderr.match(/^run$/gm)?.length, 3);
    assert.match(
      exit.stderr,
      /message 2, attempt 1 failed \(dead-letter\): the command ended with exit code 65/,
    );
  });

  it('a command is run for single messages after exit code 65 for a batch', async () => {
    await publish('{{Count}}', '--count', '3', '--key', 'one');
    const command = 'lines=$(cat); case "$lines" in *\'"data":"2"\'*) exit 65;; esac; echo "$lines" | wc -l';
    const args = ['--exec', command, '--exec-batch', '3', '--on-failure', 'skip', '--until-caught-up'];
    const exit = await runCli(['consume', ...place(), ...args]);
    assert.equal(exit.code, 0, exit.stderr);
    assert.match(exit.stderr, /message 2, attempt 1 failed \(skip\): the command ended with exit code 65/);
    assert.deepEqual(
      exit.stdout.split('\n').map((line) => line.trim()),
      ['1', '1'],
    );
  });

  it('a command need not read its input', async () => {
    await publish('x'.repeat(100_000));
    const args = ['--exec', 'exec <&-; echo done', '--until-caught-up'];
    const exit = await runCli(['consume', ...place(), ...args]);
    assert.equal(exit.code, 0, exit.stderr);
    assert.equal(exit.stdout, 'done');
  });
});
