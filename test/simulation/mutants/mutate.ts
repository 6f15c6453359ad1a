import { cpSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT, runPool } from '../pool.js';
import type { Report } from '../worker.js';
import type { Mutant } from './mutant.js';

/**
 * The files that a mistake changes, by path in the checkout, with their new contents.
 *
 * @throws Error if the text to change does not occur exactly once.
 */
export function changedFiles({ name, edits }: Mutant): Map<string, string> {
  const changed = new Map<string, string>();
  for (const { file, find, replace } of edits) {
    const text = changed.get(file) ?? readFileSync(join(ROOT, file), 'utf8');
    const [before, after, ...more] = text.split(find);
    if (before === undefined || after === undefined || more.length > 0) {
      throw new Error(`mutant ${name}: in ${file} this does not occur exactly once: ${find}`);
    }
    changed.set(file, before + replace + after);
  }
  return changed;
}

/**
 * Copies the code and applies a mistake. Production code has no switches for this.
 *
 * @returns the folder of the copy, to be removed by the caller.
 */
function copyWithMistake(mutant: Mutant): string {
  const changed = changedFiles(mutant);
  const root = mkdtempSync(join(tmpdir(), 'natspoc-mutant-'));
  cpSync(join(ROOT, 'src/core'), join(root, 'src/core'), { recursive: true });
  cpSync(join(ROOT, 'test/simulation'), join(root, 'test/simulation'), { recursive: true });
  symlinkSync(realpathSync(join(ROOT, 'node_modules')), join(root, 'node_modules'));
  writeFileSync(join(root, 'package.json'), '{"type":"module"}');
  for (const [file, text] of changed) writeFileSync(join(root, file), text);
  return root;
}

/** Runs seeds on a mutant until a violation, or until all are done. */
export async function hunt(mutant: Mutant, from: number, count: number, workers = 1): Promise<Report> {
  const root = copyWithMistake(mutant);
  try {
    return await runPool({ from, count, workers, options: {}, root });
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}
