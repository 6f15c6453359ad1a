import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCli, stopAll } from '../support/cli.js';
import { withServer } from '../support/server.js';
import { withTempFolder } from '../support/temp.js';
import { until } from '../support/until.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

describe('the examples', function () {
  // The longest test starts a dozen programs.
  this.timeout(120_000);
  const server = withServer();
  const folder = withTempFolder();
  const running: ChildProcess[] = [];
  let streams = 0;
  let env: Record<string, string>;

  beforeEach(() => {
    const stream = `X${++streams}`;
    env = { NATS_URL: server.url, STREAM_NAME: stream, SUBJECT_PREFIX: `${stream}.e` };
  });
  afterEach(async () => {
    for (const child of running.splice(0)) child.kill('SIGKILL');
    await stopAll();
  });

  const start = (name: string, ...args: string[]) => {
    const child = spawn(process.execPath, [join(ROOT, 'examples', name), ...args], {
      env: { PATH: process.env.PATH ?? '', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    running.push(child);
    const run = { child, output: '', exited: once(child, 'close').then(([code]) => code) };
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        run.output += chunk;
      });
    }
    return run;
  };
  const publish = async (count: number, data: string) => {
    const args = ['publish', data, '--count', String(count), '--keys', '10', '-q'];
    const exit = await runCli(args, { env });
    assert.equal(exit.code, 0, exit.stderr);
  };

  it('the worker example handles its messages, and leaves cleanly', async () => {
    await publish(50, 'order {{Count}}');
    const worker = start('worker.mjs');
    await until('all are handled', () => (worker.output.match(/: done/g) ?? []).length === 50, 20_000);
    worker.child.kill('SIGINT');
    assert.equal(await worker.exited, 0, worker.output);
    assert.match(worker.output, /left after 50 messages/);
  });

  it('the exactly-once example counts every amount once: in parallel, after a kill, after a seek, and in a recreated stream', async () => {
    await publish(300, '{"amount": 2}');
    const journal = join(folder(), 'journal.ndjson');
    const entries = () => (existsSync(journal) ? readFileSync(journal, 'utf8').split('\n').length - 1 : 0);
    const first = start('exactly-once.mjs', journal);
    await until('an amount is counted', () => entries() > 0, 20_000);
    first.child.kill('SIGKILL');
    await first.exited;
    const second = start('exactly-once.mjs', journal);
    await publish(100, '{"amount": 2}');
    // Messages that the killed writer had not committed appear twice in the journal.
    const distinct = () => new Set(readFileSync(journal, 'utf8').trimEnd().split('\n')).size;
    const total = async () => {
      const sum = start('exactly-once.mjs', '--total', journal);
      await sum.exited;
      const { amount, entries: counted } = JSON.parse(sum.output) as { amount: number; entries: number };
      return [counted, amount];
    };
    const leave = async (worker: ReturnType<typeof start>) => {
      worker.child.kill('SIGTERM');
      assert.equal(await worker.exited, 0, worker.output);
    };
    await until('all amounts are counted', () => distinct() >= 400, 20_000);
    await leave(second);
    assert.deepEqual(await total(), [400, 800]);
    const natspoc = async (...args: string[]) => {
      const exit = await runCli(args, { env });
      assert.equal(exit.code, 0, exit.stderr);
    };
    await natspoc('leases', 'seek', '--all', '--to', 'first', '--group', 'ledger', '--force');
    env.RUN = 'again';
    const third = start('exactly-once.mjs', journal);
    await until('all amounts are counted again', () => distinct() >= 800, 20_000);
    await leave(third);
    await natspoc('stream', 'delete', '--force');
    await publish(50, '{"amount": 2}');
    const fourth = start('exactly-once.mjs', journal);
    await until('the amounts of the new stream are counted', () => distinct() >= 850, 20_000);
    await leave(fourth);
    assert.deepEqual(await total(), [850, 1_700]);
  });

  it('the publish-and-consume example ends when all messages are handled in order', async () => {
    const run = start('publish-and-consume.mjs');
    assert.equal(await run.exited, 0, run.output);
    assert.match(run.output, /handled 100 orders of 10 customers, all in order/);
  });
});

describe('the example of tests without a server', () => {
  it("the example of tests passes with Node's test runner and without a server", async () => {
    const child = spawn(process.execPath, ['--test', join(ROOT, 'examples/testing.test.mjs')], {
      // With more variables, the child's test runner would report to the runner of this file.
      env: { PATH: process.env.PATH ?? '' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    const [code] = await once(child, 'close');
    assert.equal(code, 0, output);
    assert.match(output, /pass 3/);
  });
});

describe('an import of the library', () => {
  it('importing the library loads neither the command line nor the screen, and has no effects', async () => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', "await import('natspoc')"], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        output += chunk;
      });
    }
    const [code] = await once(child, 'close');
    assert.deepEqual([code, output], [0, '']);
    assert.deepEqual([...packagesOf(join(ROOT, 'dist/core/index.js'))].sort(), ['nats']);
  });
});

/** The packages that a built file imports, directly or through other files. */
function packagesOf(file: string, seen = new Set<string>(), packages = new Set<string>()): Set<string> {
  if (seen.has(file)) return packages;
  seen.add(file);
  const text = readFileSync(file, 'utf8');
  const statements = /^(?:import|export)\s+(?:[^'";=]*?\sfrom\s+)?['"]([^'"]+)['"];/gm;
  for (const [, specifier = ''] of text.matchAll(statements)) {
    if (specifier.startsWith('.')) packagesOf(join(dirname(file), specifier), seen, packages);
    else if (!specifier.startsWith('node:')) packages.add(/^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? '');
  }
  return packages;
}
