import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../pool.js';
import { changedFiles, hunt } from './mutate.js';
import { MUTANTS } from './registry.js';

/** These mistakes need few seeds. `npm run simulate:mutants` checks that all mistakes are caught. */
const QUICK = ['commit-received', 'claim-without-fencing'];
const SEEDS = 100;

describe('deliberate mistakes', () => {
  it('every deliberate mistake can be made in the current code', () => {
    for (const mutant of MUTANTS) changedFiles(mutant);
    assert.equal(new Set(MUTANTS.map(({ name }) => name)).size, MUTANTS.length);
  });

  it('every test that should show a deliberate mistake exists', () => {
    const tests = MUTANTS.flatMap(({ shownBy }) => shownBy ?? []);
    const missing = tests.filter(
      ({ file, title }) => !readFileSync(join(ROOT, file), 'utf8').includes(title),
    );
    assert.deepEqual(missing, []);
    assert.ok(tests.length > 0);
  });

  for (const name of QUICK) {
    it(`the deliberate mistake ${name} is caught`, async function () {
      this.timeout(120_000);
      const mutant = MUTANTS.find((each) => each.name === name);
      assert.ok(mutant);
      const { failed } = await hunt(mutant, 1, SEEDS, 2);
      assert.ok(failed?.violation, `${mutant.mistake}: no violation in ${SEEDS} seeds`);
      assert.notEqual(failed.violation.invariant, 'ended');
    });
  }
});
