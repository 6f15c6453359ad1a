import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../pool.js';
import type { Mutant, ShowingTest } from './mutant.js';
import { changedFiles } from './mutate.js';

/** The parts of a checkout that a test needs. Tests do not write to them. */
const COPIED = ['src', 'test', 'package.json', 'tsconfig.json', '.mocharc.json'];

/** What is used of the output of mocha's reporter `json`. */
interface Outcome {
  stats: { tests: number; failures: number };
}

/**
 * Runs a test on a copy of this checkout with the mistake.
 *
 * @returns true if the test fails in this copy.
 * @throws Error if there is not exactly one such test, or if it also fails without the mistake.
 */
export async function isShownBy(test: ShowingTest, mutant: Mutant): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'natspoc-mutant-'));
  try {
    for (const name of COPIED) cpSync(join(ROOT, name), join(folder, name), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    if (await fails(test, folder)) throw new Error(`${test.file} fails without a mistake: ${test.title}`);
    for (const [file, text] of changedFiles(mutant)) writeFileSync(join(folder, file), text);
    return await fails(test, folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function fails({ file, title }: ShowingTest, folder: string): Promise<boolean> {
  const output = join(folder, 'outcome.json');
  // Otherwise a run that ends without a report would have the outcome of the run before it.
  rmSync(output, { force: true });
  const report = ['--reporter', 'json', '--reporter-option', `output=${output}`];
  const mocha = spawn('npx', ['mocha', ...report, '--fgrep', title, file], { cwd: folder, stdio: 'ignore' });
  await once(mocha, 'close');
  const { stats }: Outcome = JSON.parse(readFileSync(output, 'utf8'));
  if (stats.tests !== 1) throw new Error(`${file} has ${stats.tests} tests with this title: ${title}`);
  return stats.failures > 0;
}
