import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { installOffline, packCore } from '../support/installed.js';
import { withServer } from '../support/server.js';

const run = promisify(execFile);

/** `load` is the statement that loads the library. */
const program = (load: string): string => `${load}
async function main(servers) {
  const publisher = await createPublisher({ servers });
  await publisher.publish({ key: 'k', data: 'hello' });
  await publisher.close();
  let handled;
  const text = new Promise((resolve) => (handled = resolve));
  const member = await joinGroup({ servers, group: process.argv[3], handler: ({ data }) => handled(textOf(data)) });
  console.log(await text);
  await member.leave();
}
main(process.argv[2]);
`;

describe('the package natspoc-core', function () {
  this.timeout(120_000);
  const server = withServer();
  let folder: string;
  let installed: string;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'natspoc-test-'));
    installed = join(folder, 'empty');
    await installOffline(await packCore(folder), installed, ['nats', 'nkeys.js', 'tweetnacl']);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('natspoc-core installs the NATS client with its dependencies, and nothing else', () => {
    const packages = readdirSync(join(installed, 'node_modules')).filter((name) => !name.startsWith('.'));
    const types = ['@types', 'undici-types'];
    assert.deepEqual(
      packages.filter((name) => !types.includes(name)),
      ['nats', 'natspoc-core', 'nkeys.js', 'tweetnacl'],
    );
  });

  it('natspoc-core links only to files that it contains', () => {
    const root = join(installed, 'node_modules/natspoc-core');
    for (const file of ['README.md', 'CHANGELOG.md']) {
      const links = [...readFileSync(join(root, file), 'utf8').matchAll(/\]\((?!https?:|#)([^)#]+)/g)];
      assert.deepEqual(
        links.map(([, path = '']) => path).filter((path) => !existsSync(join(root, path))),
        [],
      );
    }
  });

  for (const [what, file, load] of [
    ['an ES module', 'program.mjs', "import { createPublisher, joinGroup, textOf } from 'natspoc-core';"],
    ['CommonJS', 'program.cjs', "const { createPublisher, joinGroup, textOf } = require('natspoc-core');"],
  ] as const) {
    it(`natspoc-core lets a program publish and handle messages: ${what}`, async () => {
      writeFileSync(join(installed, file), program(load));
      const { stdout, stderr } = await run(process.execPath, [file, server.url, file.replace('.', '-')], {
        cwd: installed,
      });
      assert.deepEqual([stdout, stderr], ['hello\n', '']);
    });
  }

  it('natspoc-core lets a program test a worker without a server', async () => {
    const text = `import { call, localStream } from 'natspoc-core/testing';
console.log((await call(() => {}, { key: 'k' })).outcome);
const stream = localStream();
const member = await stream.joinGroup({ handler: ({ key }) => console.log(key) });
await (await stream.createPublisher()).publish({ key: 'k', data: 'x' });
await stream.idle();
await member.leave();
`;
    writeFileSync(join(installed, 'testing.mjs'), text);
    const { stdout, stderr } = await run(process.execPath, ['testing.mjs'], { cwd: installed });
    assert.deepEqual([stdout, stderr], ['handled\nk\n', '']);
  });

  it('natspoc-core names the package that a program must install for metrics', async () => {
    const text =
      "import { joinGroup } from 'natspoc-core';\nawait joinGroup({ servers: process.argv[2], handler() {}, health: { port: 0 } });\n";
    writeFileSync(join(installed, 'health.mjs'), text);
    const ran = run(process.execPath, ['health.mjs', server.url], { cwd: installed });
    await assert.rejects(
      ran,
      /NatspocError: health needs the package prom-client: run "npm install prom-client"/,
    );
  });
});
