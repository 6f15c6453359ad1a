import { readFileSync, renameSync, writeFileSync } from 'node:fs';

/** How a member's handler behaves for now. */
export type Mode =
  | { kind: 'normal' }
  /** Each message takes this long; the handler heeds its signal. */
  | { kind: 'slow'; ms: number }
  /** Each message takes this long, whatever the signal says. */
  | { kind: 'deaf'; ms: number }
  /** This share of the calls fails. */
  | { kind: 'failing'; share: number };

/** Tells the handler that reads this file; it looks every {@link MODE_POLL_MS}. */
export function writeMode(path: string, mode: Mode): void {
  const next = `${path}.next`;
  writeFileSync(next, JSON.stringify(mode));
  renameSync(next, path);
}

/** What the file says; normal where there is none. */
export function readMode(path: string): Mode {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Mode;
  } catch {
    return { kind: 'normal' };
  }
}

/** How often a handler looks whether it is to behave otherwise. */
export const MODE_POLL_MS = 100;
