import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { systemClock } from '../../core/lib/clock.js';
import type { Barrier } from '../../core/member/partition/position-writer.js';
import type { LineWriter } from './line-writer.js';

/** True for a pipe between two commands of a shell. */
export function isPipe(fd: number): boolean {
  try {
    return fstatSync(fd).isFIFO();
  } catch {
    return false;
  }
}

/**
 * True if a pipe has no reader any more. A write would show this, too, but a reader may leave while there is nothing to write. So this
 * function opens the pipe once more, which fails if the pipe has no reader (pipe(7)). Returns false also if the answer is unknown.
 */
export function hasLostReader(fd: number): boolean {
  try {
    closeSync(openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK));
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENXIO';
  }
}

/**
 * A barrier for lines that go to a pipe. The reader may leave without reading lines that the operating system has taken. So lines count as
 * taken only if the pipe still has a reader after `afterMs`. Without new lines the barrier does not wait. Otherwise a member with
 * `--output none` would handle only 20 messages a second in each partition after a crash, because an owner then commits every few messages.
 */
export function takenByReader(writer: LineWriter, fd: number, afterMs: number): Barrier {
  let taken = 0;
  return async (last) => {
    await writer.written();
    const { given } = writer;
    if (given === taken) return;
    let cancel: (() => void) | undefined;
    const later = new Promise<void>((resolve) => {
      cancel = systemClock.at(systemClock.now() + afterMs, resolve);
    });
    await Promise.race([later, last]);
    cancel?.();
    if (hasLostReader(fd)) writer.readerIsGone();
    // Rejects if the reader has gone.
    await writer.written();
    taken = Math.max(taken, given);
  };
}
