import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { createPublisher } from '../../src/core/index.js';
import { withServer } from '../support/server.js';
import { until } from '../support/until.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The tests' programs have no listeners and do not await `closed`. */
describe('a program without listeners', function () {
  this.timeout(60_000);
  const server = withServer();
  const running: ChildProcess[] = [];
  let streams = 0;
  let stream: string;

  const publish = async (data: string): Promise<void> => {
    const publisher = await createPublisher({ servers: server.url, stream, prefix: stream, partitions: 1 });
    await publisher.publish({ data });
    await publisher.close();
  };

  beforeEach(async () => {
    stream = `W${++streams}`;
    await publish('x');
  });
  afterEach(() => {
    for (const child of running.splice(0)) child.kill('SIGKILL');
  });

  /** Runs a program that joins a group. The texts are its handler, further options, and code that uses its `member`. */
  const start = (handler: string, more = '', env: Record<string, string> = {}, then = '') => {
    const program = `import { joinGroup, StopConsuming } from 'natspoc';
      const options = { servers: '${server.url}', stream: '${stream}', handler: ${handler}, ${more} };
      const member = await joinGroup(options);
      ${then}`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      cwd: ROOT,
      env: { PATH: process.env.PATH ?? '', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    running.push(child);
    const run = { child, stdout: '', stderr: '', exited: once(child, 'close').then(([code]) => code) };
    child.stdout.on('data', (chunk) => {
      run.stdout += chunk;
    });
    child.stderr.on('data', (chunk) => {
      run.stderr += chunk;
    });
    return run;
  };

  it('a program without listeners exits with the reason if an error ends its member', async () => {
    const run = start("() => { throw new StopConsuming('the database is gone'); }");
    assert.equal(await run.exited, 1);
    assert.match(run.stderr, /NatspocError: The handler has stopped: the database is gone\./);
  });

  it('a program without listeners exits with the reason if an error ends its member after the member was ready', async () => {
    const handler = "({ data }) => { if (data.length > 1) throw new StopConsuming('the database is gone'); }";
    const run = start(handler, '', {}, "await member.ready; console.log('ready');");
    await until('the member is ready', () => run.stdout === 'ready\n');
    await publish('more');
    assert.equal(await run.exited, 1);
    assert.match(run.stderr, /NatspocError: The handler has stopped: the database is gone\./);
  });

  it('a program without listeners logs in one line that a partition is halted', async () => {
    const run = start("() => { throw new Error('no such table'); }", 'maxAttempts: 1');
    await until('the line is logged', () => run.stderr.endsWith('\n'));
    assert.equal(run.stderr, 'natspoc: error: halted p0: message 1 failed: no such table\n');
  });

  it('a program without listeners logs nothing with logger: false', async () => {
    const handler = `(message, { log }) => { log.error('unheard'); setImmediate(() => console.log('done')); throw new Error('no'); }`;
    const run = start(handler, "maxAttempts: 1, onFailure: 'skip', logger: false");
    await until('the message is handled', () => run.stdout !== '');
    assert.equal(run.stderr, '');
  });

  it('a program without listeners ignores DEBUG, because the environment belongs to the program', async () => {
    const handler = `(message, { log }) => { log.debug('a'); log.info('b'); }`;
    const run = start(handler, '', { DEBUG: '*' });
    await until('a line is logged', () => run.stderr.endsWith('\n'));
    assert.equal(run.stderr, 'natspoc: p0 #1: b\n');
  });
});
