import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { readInfo } from '../../src/local/server/probe.js';
import { isRunning } from '../../src/local/server/process.js';
import { startTestServer, testServerBinary } from '../support/server.js';
import { withTempFolder } from '../support/temp.js';
import { until } from '../support/until.js';

interface Run {
  child: ChildProcess;
  stdout: string;
  stderr: string;
  ended: Promise<number | null>;
}

/** Validates the object that `--json` prints. */
function ready(stdout: string): {
  url: string;
  port: number;
  pid: number;
  version: string;
  storeDir: string;
} {
  const value: unknown = JSON.parse(stdout);
  assert.ok(typeof value === 'object' && value !== null);
  assert.ok('url' in value && typeof value.url === 'string');
  assert.ok('port' in value && typeof value.port === 'number');
  assert.ok('pid' in value && typeof value.pid === 'number');
  assert.ok('version' in value && typeof value.version === 'string');
  assert.ok('storeDir' in value && typeof value.storeDir === 'string');
  const { url, port, pid, version, storeDir } = value;
  return { url, port, pid, version, storeDir };
}

describe('natspoc server', function () {
  this.timeout(60_000);
  const temp = withTempFolder();
  const runs: Run[] = [];

  before(async function () {
    this.timeout(240_000);
    await testServerBinary();
  });

  afterEach(async () => {
    for (const run of runs.splice(0)) {
      run.child.kill('SIGTERM');
      await run.ended;
    }
  });

  function natspoc(args: string[], env: Record<string, string> = {}): Run {
    const child = spawn(process.execPath, ['--import', 'tsx', 'bin/dev.js', 'server', ...args], {
      env: { ...process.env, XDG_DATA_HOME: path.join(temp(), 'data'), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const ended = once(child, 'close').then(([code]: unknown[]) => (typeof code === 'number' ? code : null));
    const run: Run = { child, stdout: '', stderr: '', ended };
    child.stdout.on('data', (chunk) => {
      run.stdout += chunk;
    });
    child.stderr.on('data', (chunk) => {
      run.stderr += chunk;
    });
    runs.push(run);
    return run;
  }

  async function untilPrinted(run: Run, text: string): Promise<void> {
    await until(
      `${text} is printed`,
      () => {
        if (run.child.exitCode !== null) throw new Error(`the command ended: ${run.stderr}`);
        return run.stdout.includes(text);
      },
      30_000,
    );
  }

  async function refused(args: string[], code: number, stderr: RegExp, env: Record<string, string> = {}) {
    const run = natspoc(args, env);
    assert.equal(await run.ended, code);
    assert.match(run.stderr, stderr);
    assert.equal(run.stderr.trim().split('\n').length, 1);
    assert.equal(run.stdout, '');
  }

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    it(`natspoc server --json prints one object when the server is ready; ${signal} ends the server, and the command with exit code 0`, async () => {
      const run = natspoc(['--ephemeral', '--port', '0', '--json']);
      await untilPrinted(run, '\n');
      const { url, port, pid, version, storeDir } = ready(run.stdout);
      assert.equal(url, `nats://127.0.0.1:${port}`);
      assert.deepEqual(await readInfo('127.0.0.1', port), { version, jetstream: true });
      run.child.kill(signal);
      assert.equal(await run.ended, 0);
      assert.equal(isRunning(pid), false);
      assert.equal(existsSync(path.dirname(storeDir)), false);
      assert.equal(run.stdout.split('\n').length, 2);
    });
  }

  it('natspoc server prints the URL, the folder of the streams, and the next commands', async () => {
    const run = natspoc(['--port', '0', '--monitor-port', '0']);
    await untilPrinted(run, 'natspoc top');
    const url = /nats:\/\/127\.0\.0\.1:\d+/.exec(run.stdout)?.[0];
    assert.ok(url);
    const store = path.join(temp(), 'data', 'natspoc', 'server');
    assert.ok(run.stdout.includes(`kept in ${store}`));
    for (const command of ['natspoc consume', 'natspoc publish --rate 100', 'natspoc top']) {
      assert.ok(run.stdout.includes(`${command} --server ${url}\n`), command);
    }
    const monitoring = /Monitoring: (\S+)/.exec(run.stdout)?.[1];
    assert.equal((await fetch(`${monitoring}/healthz`)).status, 200);
    run.child.kill('SIGINT');
    assert.equal(await run.ended, 0);
    assert.ok(existsSync(store), 'the streams are kept');
  });

  it('natspoc server fails with one line when the server dies', async () => {
    const run = natspoc(['--ephemeral', '--port', '0', '--json']);
    await untilPrinted(run, '\n');
    process.kill(ready(run.stdout).pid, 'SIGKILL');
    assert.equal(await run.ended, 1);
    const error: unknown = JSON.parse(run.stdout.trim().split('\n').at(-1) ?? '');
    assert.ok(typeof error === 'object' && error !== null && 'error' in error);
    assert.match(JSON.stringify(error.error), /The server exited unexpectedly \(SIGKILL\)/);
  });

  it('natspoc server fails with one line that names a port in use', async () => {
    const other = await startTestServer();
    try {
      await refused(['--ephemeral', '--port', String(other.port)], 1, /^Error: Port \d+ is already in use/);
    } finally {
      await other.stop();
    }
  });

  it('natspoc server reports that a store folder cannot be created, even in /proc', async () => {
    const file = path.join(temp(), 'file');
    writeFileSync(file, '');
    for (const folder of ['/proc/nope', '/proc/nope/deep', path.join(file, 'deep')]) {
      const line = new RegExp(
        `^Error: Cannot write to the store folder ${folder}: [a-z ]+ \\(E\\w+\\)\\.$`,
        'm',
      );
      await refused(['--port', '0', '--store-dir', folder], 1, line);
    }
  });

  it('natspoc server refuses invalid combinations of flags with exit code 2', async () => {
    await refused(['--port', 'abc'], 2, /^Error: --port: "abc" is not a port from 1 to 65535/);
    await refused(['--monitor-port', '65536'], 2, /^Error: --monitor-port: "65536" is not a port/);
    await refused(['--ephemeral', '--store-dir', temp()], 2, /^Error: --ephemeral and --store-dir exclude/);
    await refused([], 2, /^Error: NATS_SERVER_BIN=\/nowhere is not/, { NATS_SERVER_BIN: '/nowhere' });
  });

  it('natspoc server passes on the error of a server that does not start', async () => {
    const file = path.join(temp(), 'nats-server');
    writeFileSync(file, '#!/bin/sh\necho "nats-server: no such luck" >&2\nexit 1\n', { mode: 0o755 });
    await refused(['--ephemeral', '--port', '0'], 1, /nats-server did not start: no such luck$/m, {
      NATS_SERVER_BIN: file,
    });
  });
});
