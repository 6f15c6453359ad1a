import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  againstTheDirection,
  cycles,
  importsBelow,
  ROOMS,
  reachedFrom,
  roomOf,
  sourceFiles,
} from './rooms.js';

const SRC = fileURLToPath(new URL('../../src', import.meta.url));

describe('the imports between folders of src', () => {
  const imports = importsBelow(SRC);

  it('the folders of src are those in the table of permitted imports', () => {
    assert.deepEqual(new Set(sourceFiles(SRC).map(roomOf)), new Set(Object.keys(ROOMS)));
  });

  it('the folders of src import one another in one direction only', () => {
    assert.deepEqual(againstTheDirection(imports), []);
    assert.deepEqual(cycles(imports), []);
  });

  it('the check finds an import against the direction, and the cycle that this import closes', () => {
    const wrong = { from: 'core/protocol/step.ts', to: 'core/member/join.ts' };
    assert.deepEqual(againstTheDirection([...imports, wrong]), [wrong]);
    assert.ok(cycles([...imports, wrong]).some((each) => each.includes('core/member')));
    const upwards = { from: 'core/lib/redact-url.ts', to: 'top/show.ts' };
    assert.deepEqual(againstTheDirection([...imports, upwards]), [upwards]);
  });

  it('the library reaches all of the core and nothing outside of it', () => {
    const reached = new Set(
      ['core/index.ts', 'core/testing/index.ts'].flatMap((entry) => [...reachedFrom(entry, imports)]),
    );
    const core = sourceFiles(SRC).filter((file) => file.startsWith('core/'));
    assert.deepEqual(
      [...reached].filter((file) => !file.startsWith('core/')),
      [],
    );
    assert.deepEqual(
      core.filter((file) => !reached.has(file)),
      [],
    );
  });

  it('programs do not load the code for their tests', () => {
    const reached = [...reachedFrom('core/index.ts', imports)];
    assert.deepEqual(
      reached.filter((file) => roomOf(file) === 'core/testing'),
      [],
    );
  });

  it('only core/nats imports the NATS client, only top imports Ink and React, only cli imports oclif', () => {
    const outside = sourceFiles(SRC).flatMap((file) =>
      [
        ...readFileSync(path.join(SRC, file), 'utf8').matchAll(
          /(?:from\s+|import\s+|import\(\s*)'(nats|ink|react|@oclif)(?:\/[^']+)?'/g,
        ),
      ].map(([, name = '']) => `${roomOf(file)}: ${name}`),
    );
    assert.deepEqual([...new Set(outside)].sort(), [
      'cli: @oclif',
      'core/nats: nats',
      'top: ink',
      'top: react',
    ]);
  });
});
