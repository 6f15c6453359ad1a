import { mkdirSync, statSync } from 'node:fs';
import path from 'node:path';

const isFolder = (file: string): boolean => statSync(file, { throwIfNoEntry: false })?.isDirectory() ?? false;

/**
 * Creates a folder and its missing parents, one by one. `mkdir` with `recursive` is not used, because Node 20 would retry forever in a
 * folder such as `/proc`, where nothing can be created.
 *
 * @throws Node's error if the folder cannot be created.
 */
export function makeFolder(folder: string): void {
  if (isFolder(folder)) return;
  const parent = path.dirname(path.resolve(folder));
  if (parent !== path.resolve(folder)) makeFolder(parent);
  try {
    mkdirSync(folder);
  } catch (error) {
    // If the folder exists now, another process was faster.
    if (!isFolder(folder)) throw error;
  }
}
