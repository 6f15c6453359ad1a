import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { NatspocError } from '../../src/core/lib/errors.js';
import { readInfo } from '../../src/local/server/probe.js';
import { isRunning } from '../../src/local/server/process.js';
import { type RunningServer, type ServerOptions, startServer } from '../../src/local/server/run.js';
import { startTestServer, type TestServer, testServerBinary } from '../support/server.js';
import { withTempFolder } from '../support/temp.js';
import { until } from '../support/until.js';

describe('running a server', function () {
  this.timeout(180_000);
  const temp = withTempFolder();
  const running: RunningServer[] = [];

  async function start(options: Partial<ServerOptions> = {}): Promise<RunningServer> {
    const server = await startServer({ binary: await testServerBinary(), ...options });
    running.push(server);
    return server;
  }

  afterEach(async () => {
    await Promise.all(running.splice(0).map((server) => server.stop()));
  });

  async function refused(options: Partial<ServerOptions>, message: RegExp): Promise<void> {
    await assert.rejects(start(options), (error) => {
      assert.ok(error instanceof NatspocError);
      assert.match(error.message, message);
      assert.doesNotMatch(error.message, /\n/);
      return true;
    });
  }

  it('a server answers with JetStream on a free port, and leaves no process or folder after stop', async () => {
    const server = await start();
    const info = await readInfo('127.0.0.1', server.port);
    assert.deepEqual(info, { version: server.version, jetstream: true });
    assert.equal(server.url, `nats://127.0.0.1:${server.port}`);
    assert.equal(server.monitorUrl, null);
    assert.ok(existsSync(server.storeDir));
    await Promise.all([server.stop(), server.stop()]);
    assert.equal(isRunning(server.pid), false);
    assert.equal(existsSync(path.dirname(server.storeDir)), false);
    assert.deepEqual(await server.exited, { code: 0, signal: null, reason: null });
  });

  it('a server serves monitoring on a free port', async () => {
    const server = await start({ monitorPort: 0 });
    const health = await fetch(`${server.monitorUrl}/healthz`);
    assert.equal(health.status, 200);
    await health.text();
  });

  it('a server accepts more configuration, and runs without JetStream if requested', async () => {
    const server = await start({ jetstream: false, monitorPort: 0, config: 'max_payload: 2048' });
    const answer = await fetch(`${server.monitorUrl}/varz`);
    const varz: unknown = await answer.json();
    assert.ok(typeof varz === 'object' && varz !== null && 'max_payload' in varz);
    assert.equal(varz.max_payload, 2048);
    assert.equal((await readInfo('127.0.0.1', server.port))?.jetstream, false);
  });

  it('many servers start at the same time on different ports', async () => {
    const servers = await Promise.all(Array.from({ length: 12 }, () => start()));
    assert.equal(new Set(servers.map((server) => server.port)).size, 12);
  });

  it('the start of a server reports in one line that the port, or the monitoring port, is in use', async () => {
    const blocker = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => blocker.once('listening', resolve));
    const address = blocker.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const line = new RegExp(`^Port ${port} is already in use: choose another port, or 0 for a free one\\.$`);
    try {
      await refused({ port }, line);
      await refused({ monitorPort: port }, line);
    } finally {
      blocker.close();
    }
  });

  it('a store folder is kept, and one server at a time can use it', async () => {
    const storeDir = path.join(temp(), 'deep', 'store');
    const first = await start({ storeDir });
    await refused(
      { storeDir },
      new RegExp(`^The store folder ${storeDir} is in use by process ${first.pid}:`),
    );
    await first.stop();
    assert.deepEqual(readdirSync(storeDir), ['jetstream']);
    const second = await start({ storeDir });
    await second.kill();
    assert.equal((await second.exited).signal, 'SIGKILL');
    await start({ storeDir });
  });

  it('a server takes over a store folder whose holder no longer runs', async () => {
    const gone = spawn(process.execPath, ['--version'], { stdio: 'ignore' });
    await new Promise((resolve) => gone.once('exit', resolve));
    writeFileSync(path.join(temp(), 'natspoc-server.lock'), String(gone.pid));
    await start({ storeDir: temp() });
  });

  it('the start of a server reports a problem of the folder, the configuration or the program in one line', async () => {
    const file = path.join(temp(), 'file');
    writeFileSync(file, '');
    await refused({ storeDir: file }, /^Cannot write to the store folder .*file: /);
    await refused({ config: 'jetstream {' }, /did not start: Parse error/);
    await refused(
      { binary: path.join(temp(), 'nothing') },
      /did not start: no such file or directory \(ENOENT\)$/,
    );
    await refused({ binary: process.execPath }, /did not start: /);
    const leftovers = readdirSync(temp());
    assert.deepEqual(leftovers, ['file']);
  });

  it('the start of a server gives up on a server that does not answer, and leaves nothing behind', async () => {
    const silent = path.join(temp(), 'silent');
    writeFileSync(silent, '#!/bin/sh\nexec sleep 60\n', { mode: 0o755 });
    await refused({ binary: silent, startTimeoutMs: 200 }, /did not start: it did not answer within 200 ms$/);
  });

  it('a server that dies is reported', async () => {
    const server = await start();
    process.kill(server.pid, 'SIGKILL');
    assert.deepEqual(await server.exited, { code: null, signal: 'SIGKILL', reason: null });
    assert.equal(existsSync(path.dirname(server.storeDir)), false);
  });

  it('a stopped server leaves no listener on the process', async () => {
    const before = process.listenerCount('exit');
    await (await start()).stop();
    assert.equal(process.listenerCount('exit'), before);
  });
});

describe('a server whose parent ends', function () {
  this.timeout(180_000);
  const temp = withTempFolder();
  const parents: ChildProcess[] = [];

  afterEach(() => {
    for (const parent of parents.splice(0)) parent.kill('SIGKILL');
  });

  /** Starts another process, which starts a server and then runs the code `end`. Resolves with the server's pid and folder. */
  async function parentThat(end: string): Promise<{ parent: ChildProcess; pid: number; storeDir: string }> {
    const run = new URL('../../src/local/server/run.ts', import.meta.url).href;
    const script = path.join(temp(), 'parent.mts');
    writeFileSync(
      script,
      `import { startServer } from ${JSON.stringify(run)};
const server = await startServer({ binary: ${JSON.stringify(await testServerBinary())} });
process.stdout.write(JSON.stringify({ pid: server.pid, storeDir: server.storeDir }) + '\\n', () => { ${end} });
`,
    );
    const parent = spawn(process.execPath, ['--import', 'tsx', script], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    parents.push(parent);
    const line = await new Promise<string>((resolve, reject) => {
      parent.once('exit', () => reject(new Error('the parent ended before its server was ready')));
      parent.stdout?.once('data', (chunk) => resolve(String(chunk)));
    });
    const { pid, storeDir }: { pid: number; storeDir: string } = JSON.parse(line);
    return { parent, pid, storeDir };
  }

  for (const [how, end] of [
    ['process.exit', 'process.exit(0)'],
    ['an uncaught error', "throw new Error('on purpose')"],
  ] as const) {
    it(`a server ends after ${how} of its parent, even if its folder is gone`, async () => {
      const { parent, pid, storeDir } = await parentThat(end);
      if (parent.exitCode === null) await once(parent, 'exit');
      assert.equal(existsSync(storeDir), false);
      await until(`server ${pid} has ended`, () => !isRunning(pid));
      await until('the temporary folder is removed', () => !existsSync(path.dirname(storeDir)));
    });
  }

  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGKILL'] as const) {
    it(`a server ends after its parent got ${signal}, and its folder is removed`, async () => {
      const { parent, pid, storeDir } = await parentThat('setInterval(() => {}, 1000)');
      parent.kill(signal);
      await until(`server ${pid} has ended`, () => !isRunning(pid));
      await until('the temporary folder is removed', () => !existsSync(path.dirname(storeDir)));
    });
  }
});

describe('the server of the tests', function () {
  this.timeout(180_000);
  let server: TestServer | undefined;
  afterEach(() => server?.stop());

  it('the server of the tests keeps its port after a kill and a restart, even if it was suspended', async () => {
    server = await startTestServer();
    const { url, pid } = server;
    await server.kill();
    await server.restart();
    assert.equal(server.url, url);
    assert.notEqual(server.pid, pid);
    await server.suspend();
    const suspended = server.running;
    await server.restart();
    // The exit code shows that the server ended regularly. A forced stop would be a SIGKILL.
    assert.deepEqual(await suspended.exited, { code: 0, signal: null, reason: null });
    assert.equal((await readInfo('127.0.0.1', server.port))?.jetstream, true);
  });
});
