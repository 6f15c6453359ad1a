import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const TREE = /```text\n([\s\S]*?)```/;

describe('ARCHITECTURE.md', () => {
  const tree = TREE.exec(readFileSync(path.join(ROOT, 'ARCHITECTURE.md'), 'utf8'))?.[1] ?? '';

  for (const folder of ['src', 'src/core', 'src/tui']) {
    it(`names every file and folder of ${folder} in its tree`, () => {
      const entries = readdirSync(path.join(ROOT, folder), { withFileTypes: true });
      const names = entries.map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name));
      const words = new Set(tree.split(/[\s:;,]+/).map((word) => word.replace(/^src\/(?=.)/, '')));
      const missing = names.filter((name) => ![name, `src/${name}`].some((word) => words.has(word)));
      assert.deepEqual(missing, []);
    });
  }

  it('names no source file that is not there', () => {
    const there = new Set(
      ['src', 'src/core', 'src/tui', 'bin'].flatMap((folder) => readdirSync(path.join(ROOT, folder))),
    );
    const named = tree.match(/[\w-]+\.(?:ts|js)\b/g) ?? [];
    assert.deepEqual(
      named.filter((name) => !there.has(name)),
      [],
    );
  });
});
