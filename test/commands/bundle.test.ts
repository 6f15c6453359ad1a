import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build, type Format } from 'esbuild';
import { withServer } from '../support/server.js';
import { withTempFolder } from '../support/temp.js';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Publishes a message, handles it, and prints a line. CommonJS has no top-level await, so the code is in a function. */
const PROGRAM = `import { createPublisher, joinGroup, textOf, VERSION } from 'natspoc';

async function main(servers) {
  const publisher = await createPublisher({ servers });
  await publisher.publish({ key: 'k', data: 'hello' });
  await publisher.close();
  let handled;
  const text = new Promise((resolve) => (handled = resolve));
  const member = await joinGroup({ servers, handler: ({ data }) => handled(textOf(data)) });
  console.log(VERSION, await text);
  await member.leave();
}
main(process.argv[2]);
`;

describe('a program that is bundled', function () {
  this.timeout(60_000);
  const server = withServer();
  const folder = withTempFolder();
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };

  for (const [format, name] of [
    ['esm', 'program.mjs'],
    ['cjs', 'program.cjs'],
  ] satisfies [Format, string][]) {
    it(`a bundled program runs without any other file, as ${format}`, async () => {
      const source = join(folder(), 'source.mjs');
      const outfile = join(folder(), name);
      writeFileSync(source, PROGRAM);
      const { warnings } = await build({
        entryPoints: [source],
        outfile,
        bundle: true,
        platform: 'node',
        format,
        alias: { natspoc: join(ROOT, 'dist/core/index.js') },
        logLevel: 'silent',
        // The client is CommonJS. Inside an ES module it needs a `require` to import Node modules.
        banner:
          format === 'esm'
            ? {
                js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
              }
            : {},
      });
      assert.deepEqual(warnings, []);
      const { stdout, stderr } = await run(process.execPath, [outfile, server.url], { cwd: folder() });
      assert.deepEqual([stdout, stderr], [`${version} hello\n`, '']);
    });
  }
});
