import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, runPool } from '../pool.js';
import type { Report } from '../worker.js';
import type { Mutant } from './mutant.js';

/**
 * The files that a mistake changes, with their new contents, by path in the checkout.
 *
 * @throws Error if the text to change does not occur exactly once.
 */
export function changedFiles({ name, edits }: Mutant): Map<string, string> {
  const changed = new Map<string, string>();
  for (const { file, find, replace } of edits) {
    const text = changed.get(file) ?? readFileSync(join(ROOT, file), 'utf8');
    const [before, after, ...more] = text.split(find);
    if (before === undefined || after === undefined || more.length > 0) {
      throw new Error(`mutant ${name}: in ${file} this text does not occur exactly once: ${find}`);
    }
    changed.set(file, before + replace + after);
  }
  return changed;
}

/** Runs seeds on a mutant until a violation, or until all are done. */
export const hunt = (mutant: Mutant, from: number, count: number, workers = 1): Promise<Report> =>
  runPool({ from, count, workers, options: { faults: mutant.needs }, changed: changedFiles(mutant) });
