import { mkdirSync, statSync } from 'node:fs';
import path from 'node:path';

const isFolder = (file: string): boolean => statSync(file, { throwIfNoEntry: false })?.isDirectory() ?? false;

/**
 * Creates a folder and its missing parents, one by one. In a folder such as `/proc`, `mkdir` with `recursive` would retry forever on Node
 * 20.
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
    // Another process may have been faster.
    if (!isFolder(folder)) throw error;
  }
}
