import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** Returns a function that gives the current test's folder. It starts empty, and is removed after the test. Call this inside `describe`. */
export function withTempFolder(): () => string {
  let folder: string | undefined;
  afterEach(() => {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
    folder = undefined;
  });
  return () => {
    folder ??= mkdtempSync(path.join(tmpdir(), 'natspoc-test-'));
    return folder;
  };
}
