import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type CliOptions, runCli, startCli, stopAll } from '../support/cli.js';
import { installOffline, pack } from '../support/installed.js';
import { testServerBinary, withServer } from '../support/server.js';
import { until } from '../support/until.js';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** What a package may contain: programs, the library's types, and the documents to which the README links. */
const ALLOWED = [
  /^(package|oclif\.manifest)\.json$/,
  /^bin\/run\.js$/,
  /^dist\/.*\.js$/,
  /^dist\/core\/.*\.d\.c?ts$/,
  /^(README|ARCHITECTURE|SPEC|CHANGELOG|LICENSE)(\.md)?$/,
  /^docs\/[a-z-]+\.(md|svg)$/,
  /^examples\/[a-z-]+(\.test)?\.mjs$/,
  /^deploy\/[a-z]+\/[a-z]+\.(yaml|json)$/,
  /^\.env\.example$/,
];

/** What a reader who knows only docs/library.md could write. */
const PROGRAM = `import { createPublisher, type GroupMember, joinGroup, NatspocError, textOf } from 'natspoc';

const servers: string = process.argv[2] ?? '';
// undefined means the default, in every option and in every field of a message.
const none = undefined;
const publisher = await createPublisher({ connection: none, servers, stream: none });
const fields = { partition: none, subject: none, headers: none, id: none };
const { partition, sequence } = await publisher.publish({ key: 'user-7', data: 'hello', ...fields });
let done: (text: string | undefined) => void;
const received = new Promise<string | undefined>((resolve) => {
  done = resolve;
});
const member: GroupMember = await joinGroup({
  connection: none,
  servers,
  group: 'typed',
  batchHandler: none,
  batch: none,
  handler: async (message, context) => {
    const epoch: number = context.epoch;
    context.signal.throwIfAborted();
    if (message.sequence === sequence && context.partition === partition && epoch > 0) done(textOf(message.data));
  },
});
member.on('acquired', (event) => void (event.partition satisfies number));
console.log(await received);
await member.leave();
await publisher.close();
try {
  await createPublisher({ servers, partitions: 5 });
} catch (error) {
  if (error instanceof NatspocError) console.log(error.code);
}
`;

/** Code from docs/library.md that needs newer language features. */
const DISPOSING = `import { createPublisher, joinGroup } from 'natspoc';

await using member = await joinGroup({
  backoff: { baseMs: 100, maxMs: 5_000 },
  from: 'new',
  logger: console,
  // A handler may return anything, for example the result of an insert or a query builder.
  handler: async (message) => Buffer.from(message.data).toString(),
});
await using publisher = await createPublisher({});
member.on('acquired', (event) => console.log(event.partition satisfies number));
`;

const TSCONFIG = {
  compilerOptions: {
    target: 'ES2023',
    lib: ['ES2023'],
    module: 'NodeNext',
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    // The declarations of this package are checked as well.
    skipLibCheck: false,
    types: ['node'],
  },
  files: ['program.ts'],
};

describe('the package', function () {
  this.timeout(120_000);
  const server = withServer();
  let folder: string;
  let files: string[];
  let installed: string;
  let entry: string;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'natspoc-test-'));
    const packed = await pack(folder);
    files = packed.files;
    installed = join(folder, 'empty');
    await installOffline(packed.tarball, installed);
    entry = join(installed, 'node_modules/.bin/natspoc');
  });
  afterEach(stopAll);
  after(() => rmSync(folder, { recursive: true, force: true }));

  const cli = (args: string[], options: CliOptions = {}) =>
    runCli(args, { entry, cwd: installed, ...options });

  it('the package contains only the program, the types, and the documents to which the README links', () => {
    const others = files.filter((file) => !ALLOWED.some((pattern) => pattern.test(file)));
    assert.deepEqual(others, []);
    assert.ok(files.includes('dist/core/index.d.ts'));
  });

  it('the package contains the target of every link in its documents', () => {
    const root = join(installed, 'node_modules/natspoc');
    const broken: string[] = [];
    for (const file of files.filter((name) => name.endsWith('.md'))) {
      const text = readFileSync(join(root, file), 'utf8').replaceAll(/```[\s\S]*?```/g, '');
      for (const [, target = ''] of text.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)) {
        if (/^[a-z]+:/.test(target)) continue;
        if (!existsSync(join(root, dirname(file), target))) broken.push(`${file}: ${target}`);
      }
    }
    assert.deepEqual(broken, []);
  });

  it('the packaged command prints its version and help', async () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
    assert.match(
      (await cli(['--version'])).stdout,
      new RegExp(`^natspoc/${version.replaceAll('.', '\\.')} `),
    );
    for (const args of [['--help'], ['consume', '--help'], ['leases', '--help']]) {
      const { code, stdout, stderr } = await cli(args);
      assert.deepEqual([code, stderr], [0, '']);
      assert.match(stdout, /USAGE/);
    }
  });

  it('the packaged command runs a server, publishes to it and consumes from it', async () => {
    const env = { NATS_SERVER_BIN: await testServerBinary() };
    const args = ['server', '--ephemeral', '--port', '0', '--json'];
    const local = startCli(args, { entry, cwd: installed, env });
    await until('the server is ready', () => local.stdout.length > 0, 30_000);
    const { url } = JSON.parse(local.stdout[0] ?? '') as { url: string };
    const published = await cli(['publish', 'event {{Count}}', '--count', '100', '--server', url, '--quiet']);
    assert.equal(published.code, 0, published.stderr);
    const consumed = await cli(['consume', '--until-caught-up', '--output', 'ndjson', '--server', url]);
    assert.equal(consumed.code, 0, consumed.stderr);
    assert.equal(consumed.stdout.split('\n').length, 100);
    local.signal('SIGINT');
    assert.equal((await local.exited).code, 0);
  });

  it('the program of README.md compiles with the options in docs/library.md, and so does a program with await using', async () => {
    const root = join(installed, 'node_modules/natspoc');
    const [, args = ''] =
      /^npx tsc (.*) worker\.ts$/m.exec(readFileSync(join(root, 'docs/library.md'), 'utf8')) ?? [];
    const [, program = ''] = /```ts\n([\s\S]*?)```/.exec(readFileSync(join(root, 'README.md'), 'utf8')) ?? [];
    assert.match(args, /--strict/);
    assert.match(program, /joinGroup/);
    // Has no configuration, only the package and its dependencies.
    const plain = join(installed, 'plain');
    mkdirSync(plain);
    await run('npm', ['init', '-y'], { cwd: plain });
    await run('npm', ['pkg', 'set', 'type=module'], { cwd: plain });
    writeFileSync(join(plain, 'worker.ts'), program.replace('nats://127.0.0.1:4222', server.url));
    writeFileSync(join(plain, 'using.ts'), DISPOSING);
    const compile = (...more: string[]) =>
      run(join(ROOT, 'node_modules/.bin/tsc'), [...args.split(' '), ...more], { cwd: plain }).then(
        ({ stdout }) => stdout,
        (error: { stdout: string }) => error.stdout,
      );
    assert.equal(await compile('worker.ts'), '');
    const worker = spawn(process.execPath, ['worker.js'], { cwd: plain });
    const ended = once(worker, 'close');
    let printed = '';
    for (const stream of [worker.stdout, worker.stderr])
      stream.on('data', (chunk) => {
        printed += chunk;
      });
    await until(
      'the program has partitions',
      async () => {
        const { code, stdout } = await runCli(['leases', '--group', 'orders', '--json'], {
          env: { NATS_URL: server.url },
        });
        return code === 0 && JSON.parse(stdout).totals.owned > 0;
      },
      30_000,
    );
    worker.kill('SIGTERM');
    const [code] = await ended;
    assert.deepEqual([code, printed], [0, '']);
    assert.equal(await compile('using.ts'), '');
    const stricter = ['--exactOptionalPropertyTypes', '--lib', 'es2022', '--skipLibCheck'];
    assert.equal(await compile(...stricter, 'worker.ts'), '');
  });

  it('the package compiles in a strict TypeScript program, which then runs', async () => {
    writeFileSync(join(installed, 'program.ts'), PROGRAM);
    writeFileSync(join(installed, 'tsconfig.json'), JSON.stringify(TSCONFIG));
    const compiled = await run(join(ROOT, 'node_modules/.bin/tsc'), ['-p', installed]).catch(
      (error: { stdout: string }) => error,
    );
    // The client's own declarations (nats 2.29) do not compile with these options, and we cannot fix them.
    const errors = compiled.stdout.split('\n').filter((line) => /error TS/.test(line));
    const ours = errors.filter((line) => !/^\S*node_modules\/nats\//.test(line));
    assert.deepEqual(ours, []);
    const child = spawn(process.execPath, [join(installed, 'program.js'), server.url], { cwd: installed });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        output += chunk;
      });
    }
    const [code] = await once(child, 'close');
    assert.deepEqual([code, output], [0, 'hello\nlayout-mismatch\n']);
  });
});
