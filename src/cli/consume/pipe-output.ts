import { systemClock } from '../../core/lib/clock.js';
import type { Barrier } from '../../core/member/partition/position-writer.js';
import type { LineWriter } from './line-writer.js';
import type { PipeReader } from './pipe-reader.js';

/** Interval between two checks of the reader while there is nothing to write, in milliseconds. */
const CHECK_EVERY_MS = 1_000;

/**
 * A barrier for lines that go to a pipe. The reader may leave without reading lines that the operating system has taken. So a line counts
 * as taken only if the reader is still there after `afterMs`. Without new lines the barrier does not wait. After a crash an owner commits
 * every few messages, and waits would limit a partition to about 20 messages per second.
 */
export function takenByReader(
  writer: LineWriter,
  reader: Pick<PipeReader, 'isGone'>,
  afterMs: number,
): Barrier {
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
    if (await reader.isGone()) writer.readerIsGone();
    // Rejects if the reader has gone.
    await writer.written();
    taken = Math.max(taken, given);
  };
}

/**
 * Closes the output when the reader of a pipe has gone. Without this check, `consume | head -3` would run until the next message. Before
 * the first line, a missing reader is no reason to close: some programs never read their input.
 *
 * @returns a function that ends the checks.
 */
export function watchReader(writer: LineWriter, reader: Pick<PipeReader, 'isGone'>): () => void {
  let isEnded = false;
  let cancel = (): void => {};
  const check = async (): Promise<void> => {
    const isGone = await reader.isGone();
    if (isEnded || writer.isClosed) return;
    if (isGone && writer.given > 0) writer.readerIsGone();
    else cancel = systemClock.at(systemClock.now() + CHECK_EVERY_MS, () => void check());
  };
  void check();
  return () => {
    isEnded = true;
    cancel();
  };
}
