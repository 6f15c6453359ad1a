/** How the process ends: told by a signal, and once its readers have what was written. */
import type { Writable } from 'node:stream';

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
