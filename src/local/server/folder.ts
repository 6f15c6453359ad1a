import { mkdirSync, statSync } from 'node:fs';
import path from 'node:path';

const isFolder = (file: string): boolean => statSync(file, { throwIfNoEntry: false })?.isDirectory() ?? false;

/**
 * Creates a folder, and those above it, where they are missing. Step by step, from the nearest one that is there: below a
 * folder in which nothing can be created, such as `/proc`, `mkdir` of Node 20 with `recursive` retries forever.
 *
 * @throws Error what Node says where it cannot be created.
 */
export function makeFolder(folder: string): void {
  if (isFolder(folder)) return;
  const parent = path.dirname(path.resolve(folder));
  if (parent !== path.resolve(folder)) makeFolder(parent);
  try {
    mkdirSync(folder);
  } catch (error) {
    // Another process was faster.
    if (!isFolder(folder)) throw error;
  }
}
