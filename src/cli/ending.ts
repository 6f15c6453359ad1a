/** How the process ends: told by a signal, and once its readers have what was written. */
import { fstatSync, writeSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { outputFailure } from './consume/line-writer.js';
import { exitWithError } from './report-error.js';

/** After a signal, readers that take nothing hold up the end for this long at most, milliseconds. */
const PATIENCE_MS = 1_000;

const stopping = new AbortController();

function onSignal(name: NodeJS.Signals): void {
  if (stopping.signal.aborted) process.exit(name === 'SIGINT' ? 130 : 143);
  stopping.abort(name);
}

/**
 * A signal that aborts at the first SIGINT or SIGTERM; its reason is the name of the signal. A second one ends the
 * process at once.
 */
export function stopSignal(): AbortSignal {
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    if (!process.listeners(name).includes(onSignal)) process.on(name, onSignal);
  }
  return stopping.signal;
}

/**
 * Writes to a file until it has everything. Node does that with one call and does not look at what it returns: where the disk
 * is full, it takes a part first, and only the next call fails.
 */
function writeWhole(stdout: Writable, fd: number): void {
  stdout._write = (chunk: Uint8Array, _encoding, done) => {
    try {
      for (let left = chunk; left.length > 0; ) left = left.subarray(writeSync(fd, left));
      done();
    } catch (error) {
      done(error instanceof Error ? error : new Error(String(error)));
    }
  };
}

/**
 * Sees to a stdout that fails: a full disk ends the process at once, with one line. A reader that has gone away (EPIPE) is
 * no error: commands see to that.
 */
export function watchOutput(): void {
  const { stdout } = process;
  if (fstatSync(stdout.fd).isFile()) writeWhole(stdout, stdout.fd);
  // Ahead of oclif's own listener, which throws.
  stdout.prependListener('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') exitWithError(outputFailure(error), { json: false });
  });
}

/** From here on a stdout that fails is the command's to see to, whatever the reason. */
export function endInOrder(): void {
  process.stdout.removeAllListeners('error');
  process.stdout.on('error', () => {});
}

/** Resolves when the system has all that was written to a stream, or never will. */
function taken(stream: Writable): Promise<void> {
  return new Promise((resolve) => void stream.write('', () => resolve()));
}

/**
 * Resolves when the readers of stdout and stderr have taken everything, however long that takes. Once a signal has told
 * the process to end, it ends a moment later although they have not: a pipe that is full and not read would keep it for
 * ever. What a member has not written by then it has not committed either.
 */
export async function untilRead(): Promise<void> {
  const { signal } = stopping;
  let timer: NodeJS.Timeout | undefined;
  const giveUp = (): void => {
    timer = setTimeout(() => process.exit(), PATIENCE_MS);
  };
  if (signal.aborted) giveUp();
  else signal.addEventListener('abort', giveUp, { once: true });
  await Promise.all([taken(process.stdout), taken(process.stderr)]);
  signal.removeEventListener('abort', giveUp);
  clearTimeout(timer);
}
