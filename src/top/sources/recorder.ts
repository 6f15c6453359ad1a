import { createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { constants, createGzip } from 'node:zlib';
import { NatspocError } from '../../core/lib/errors.js';
import { systemReason } from '../../core/lib/system-reason.js';
import { toJson } from '../../core/lib/text.js';
import type { TopEvent } from '../model/events.js';

/** A recording ends at this size before compression. A longer recording could not be replayed. */
export const MAX_RECORDED_CHARACTERS = 256 * 1_048_576;
/** Maximum time until a record is in the file, in milliseconds. A kill loses only younger records. */
const FLUSH_MS = 1_000;

/** Writes events as they arrive, one JSON object per line, compressed with gzip. */
export interface Recorder {
  /** Returns false once the recording is full. Then nothing more is written. */
  write(event: TopEvent): boolean;
  close(): Promise<void>;
}

/**
 * Opens a recording.
 *
 * @param most the recording is full at this number of characters.
 * @throws NatspocError `usage` if the file exists or cannot be written. A full disk ends the process with an uncaught error.
 */
export async function startRecording(path: string, most = MAX_RECORDED_CHARACTERS): Promise<Recorder> {
  const file = await open(path, 'wx', 0o600).catch((cause: unknown) => {
    throw new NatspocError('usage', `--record: cannot write ${path}: ${systemReason(cause)}.`, { cause });
  });
  const stream = createWriteStream('', { fd: file });
  stream.on('error', (cause) => {
    // A recording with a gap would be misleading.
    throw new NatspocError('failed', `--record: cannot write ${path}: ${systemReason(cause)}.`, { cause });
  });
  const packed = createGzip();
  packed.pipe(stream);
  let characters = 0;
  let isFull = false;
  let isFlushed = true;
  const timer = setInterval(() => {
    if (isFlushed) return;
    isFlushed = true;
    packed.flush(constants.Z_SYNC_FLUSH);
  }, FLUSH_MS);
  timer.unref();
  return {
    write: (event) => {
      // A polling round can still run when the recording is closed.
      if (packed.writableEnded) return true;
      const line = `${toJson(event)}\n`;
      // Once full, smaller events are not written either: a recording has no gaps.
      isFull ||= characters + line.length > most;
      if (isFull) return false;
      characters += line.length;
      isFlushed = false;
      packed.write(line);
      return true;
    },
    close: () =>
      new Promise((resolve) => {
        clearInterval(timer);
        stream.on('close', () => resolve());
        packed.end();
      }),
  };
}
