import { readFileSync, renameSync, writeFileSync } from 'node:fs';

/** The current behavior of a member's handler. */
export type Mode =
  | { kind: 'normal' }
  /** Each message takes this long. The handler respects its signal. */
  | { kind: 'slow'; ms: number }
  /** Each message takes this long. The handler ignores its signal. */
  | { kind: 'deaf'; ms: number }
  /** This share of the calls fails. */
  | { kind: 'failing'; share: number };

/** Writes the mode. The handler reads it every {@link MODE_POLL_MS}. */
export function writeMode(path: string, mode: Mode): void {
  const next = `${path}.next`;
  writeFileSync(next, JSON.stringify(mode));
  renameSync(next, path);
}

/** Reads the mode. If there is no file, the mode is normal. */
export function readMode(path: string): Mode {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Mode;
  } catch {
    return { kind: 'normal' };
  }
}

/** How often a handler reads its mode, in milliseconds. */
export const MODE_POLL_MS = 100;
