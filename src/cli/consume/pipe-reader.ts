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
 * True if a pipe has no reader any more. Otherwise only a write would show that, and a reader may leave while there is nothing to write.
 * So the pipe is opened once more, which fails if it has no reader (pipe(7)). False also if that cannot be known.
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
 * A barrier for lines that go to a pipe: the reader may leave without reading lines that the operating system has taken. So lines count as
 * taken only if the reader is still there after `afterMs`. Without new lines there is nothing to wait for: after a crash, an owner
 * commits every few messages, and a member with `--output none` would handle 20 messages a second in each partition.
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
