import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { systemReason } from './system-reason.js';

/** The options for reading a file. */
export interface SmallFileOptions {
  /** The maximum size, in bytes; larger files are refused. */
  limitBytes: number;
  /** Also read pipes to their end. Set this option for files that the user names, such as `<(pass show nats)`. Default false. */
  pipes?: boolean;
}

/** The reason why a file could not be read. `isMissing` is true if the file does not exist. */
export class UnreadableFile extends Error {
  override readonly name = 'UnreadableFile';
  readonly isMissing: boolean;

  constructor(why: string, options: { isMissing?: boolean; cause?: unknown } = {}) {
    super(why, { cause: options.cause });
    this.isMissing = options.isMissing ?? false;
  }
}

const CHUNK_BYTES = 65_536;

function whyNot(cause: unknown): UnreadableFile {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (code === 'ENOENT') return new UnreadableFile('there is no such file', { isMissing: true, cause });
  return new UnreadableFile(code === 'EACCES' ? 'not permitted' : systemReason(cause), { cause });
}

/**
 * Reads a regular file (or a pipe) up to a limit. Never blocks on a pipe unless `pipes` is set.
 *
 * @throws UnreadableFile with the reason, without a full stop.
 */
export function readSmallFile(path: string, { limitBytes, pipes = false }: SmallFileOptions): Buffer {
  let file: number | undefined;
  try {
    // Opening a pipe waits for a writer, unless O_NONBLOCK is set.
    file = openSync(path, constants.O_RDONLY | (pipes ? 0 : (constants.O_NONBLOCK ?? 0)));
    const status = fstatSync(file);
    if (!status.isFile() && !(pipes && status.isFIFO())) throw new UnreadableFile('it is not a regular file');
    const chunks: Buffer[] = [];
    for (let bytes = 0; ; ) {
      const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
      const count = readSync(file, chunk);
      if (count === 0) return Buffer.concat(chunks);
      bytes += count;
      if (bytes > limitBytes) throw new UnreadableFile(`it is larger than ${limitBytes} bytes`);
      chunks.push(chunk.subarray(0, count));
    }
  } catch (error) {
    throw error instanceof UnreadableFile ? error : whyNot(error);
  } finally {
    if (file !== undefined) closeSync(file);
  }
}
