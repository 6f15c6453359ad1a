import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROOMS, sourceFiles } from './rooms.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const TREE = /```text\n([\s\S]*?)```/;

describe('ARCHITECTURE.md', () => {
  const document = readFileSync(path.join(ROOT, 'ARCHITECTURE.md'), 'utf8');
  const tree = TREE.exec(document)?.[1] ?? '';

  it('the tree in ARCHITECTURE.md names every room of src', () => {
    const missing = Object.keys(ROOMS).filter((room) => !tree.includes(`${room.split('/').at(-1)}/ `));
    assert.deepEqual(missing, []);
  });

  it('ARCHITECTURE.md names every folder of the tests', () => {
    const folders = readdirSync(path.join(ROOT, 'test'), { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !['fixtures', 'support'].includes(entry.name))
      .map(({ name }) => name);
    assert.deepEqual(
      folders.filter((name) => !tree.includes(name)),
      [],
    );
  });

  it('ARCHITECTURE.md names only existing source files', () => {
    const files = sourceFiles(path.join(ROOT, 'src'));
    const named = document.match(/[\w./-]+\.(?:ts|js)\b/g) ?? [];
    const isThere = (name: string): boolean =>
      files.some((file) => file === name || file.endsWith(`/${name}`)) ||
      ['', 'bin', 'test/documents'].some((folder) => existsSync(path.join(ROOT, folder, name)));
    assert.deepEqual(
      named.filter((name) => !isThere(name)),
      [],
    );
  });
});
