/** Ends the process after a signal, or when its command has ended and the readers have taken all output. */
import { fstatSync, writeSync } from 'node:fs';
import { constants } from 'node:os';
import type { Writable } from 'node:stream';
import { outputFailure } from './consume/line-writer.js';
import { exitWithError } from './report-error.js';

/** After a signal, the process waits at most this long for the readers of its output, in milliseconds. */
const PATIENCE_MS = 1_000;
/** Whatever still runs after the command has ended gets at most this time, in milliseconds. */
const REST_MS = 1_000;

const stopping = new AbortController();

function onSignal(name: NodeJS.Signals): void {
  if (stopping.signal.aborted) process.exit(128 + constants.signals[name]);
  stopping.abort(name);
}

/** Handles SIGHUP. Without a terminal the signal is ignored: nohup makes a process ignore SIGHUP, but Node undoes this. */
function onHangUp(name: NodeJS.Signals): void {
  if (![process.stdin, process.stdout, process.stderr].some(({ isTTY }) => isTTY)) return;
  // The signal itself must end the process. At any other exit Node 20 fails an assertion, because it cannot restore a closed terminal.
  process.once('exit', () => {
    process.removeListener(name, onHangUp);
    process.kill(process.pid, name);
  });
  onSignal(name);
}

/**
 * An AbortSignal that aborts at the first SIGINT or SIGTERM, or at SIGHUP when the terminal closes. Its reason is the name of the process
 * signal. A second process signal ends the process at once.
 */
export function stopSignal(): AbortSignal {
  for (const [name, listener] of [
    ['SIGINT', onSignal],
    ['SIGTERM', onSignal],
    ['SIGHUP', onHangUp],
  ] as const) {
    if (!process.listeners(name).includes(listener)) process.on(name, listener);
  }
  return stopping.signal;
}

/**
 * Writes each chunk to a file completely. Node would make only one write call and ignore how many bytes were written. On a full disk that
 * is only part of the chunk.
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
 * Handles errors of stdout. A full disk ends the process immediately, with one line on stderr. A closed pipe (EPIPE) is not an
 * error; commands handle it.
 */
export function watchOutput(): void {
  const { stdout } = process;
  if (fstatSync(stdout.fd).isFile()) writeWhole(stdout, stdout.fd);
  // This listener runs before oclif's own listener, which throws.
  stdout.prependListener('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') exitWithError(outputFailure(error), { json: false });
  });
}

/** After this call only the command's own listeners handle errors of stdout. */
export function endInOrder(): void {
  process.stdout.removeAllListeners('error');
  process.stdout.on('error', () => {});
}

/** Resolves when the system has taken everything written to a stream, or when the stream has failed. */
function taken(stream: Writable): Promise<void> {
  return new Promise((resolve) => void stream.write('', () => resolve()));
}

/**
 * Resolves when the readers of stdout and stderr have taken everything. After a signal the process waits at most one second. A full pipe
 * that is not read would block it forever. No message is lost: a member commits only messages whose lines it has written.
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

/**
 * Ends the process soon, even if something keeps it running. An example is a handler that hangs after its member has left. A process
 * without such work ends by itself, with all its exit hooks. To be called when the command has ended and its output is read.
 */
export function endSoon(): void {
  const timer = setTimeout(() => process.exit(), REST_MS).unref();
  // Nothing is left to wait for, so the hooks of this event may take their time.
  process.once('beforeExit', () => clearTimeout(timer));
  stopping.signal.addEventListener('abort', () => process.exit());
}
