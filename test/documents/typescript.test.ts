import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { withTempFolder } from '../support/temp.js';
import { blocksOf, inProject } from './blocks.js';

const run = promisify(execFile);
const DOCUMENTS = [
  'README.md',
  'docs/library.md',
  'docs/moving-from-kafkajs.md',
  'docs/recipes.md',
  'docs/testing.md',
];

/** The options of a careful reader. `natspoc` is the built package. */
const TSCONFIG = {
  compilerOptions: {
    target: 'ES2023',
    lib: ['ES2023'],
    module: 'NodeNext',
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: true,
    noEmit: true,
    types: ['node'],
    typeRoots: [inProject('node_modules/@types')],
    paths: {
      natspoc: [inProject('dist/core/index.d.ts')],
      'natspoc/testing': [inProject('dist/core/testing/index.d.ts')],
    },
  },
  include: ['*.mts'],
};

describe('the TypeScript blocks of the documents', function () {
  this.timeout(60_000);
  const folder = withTempFolder();

  it('the TypeScript blocks compile, with the declarations in the comment above each block', async () => {
    const blocks = DOCUMENTS.flatMap(blocksOf).filter(({ language }) =>
      /^(ts|js|typescript|javascript)$/.test(language),
    );
    assert.ok(blocks.length >= 3);
    for (const { where, note, text } of blocks) {
      const given = note === undefined ? '' : /^given: (.+)$/.exec(note)?.[1];
      assert.notEqual(given, undefined, `${where}: unknown comment "${note}" above a program`);
      writeFileSync(join(folder(), `${where.replaceAll(/\W/g, '-')}.mts`), `${given}\n${text}`);
    }
    writeFileSync(join(folder(), 'tsconfig.json'), JSON.stringify(TSCONFIG));
    const { stdout } = await run(inProject('node_modules/.bin/tsc'), ['-p', folder()]).catch(
      (error: { stdout: string }) => error,
    );
    assert.equal(stdout, '');
  });
});
