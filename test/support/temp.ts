import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** Call inside `describe`: gives each test a new empty folder, removed after it, by calling the result. */
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
