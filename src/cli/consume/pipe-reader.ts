import { closeSync, constants, fstatSync, openSync, readlinkSync } from 'node:fs';
import { lstat, readdir, readlink } from 'node:fs/promises';

/** Mode bit of a link in `/proc/PID/fd` whose file is open for reading (proc(5)). */
const READABLE = 0o400;

/** True for a pipe between two commands of a shell, and for a named pipe. */
export function isPipe(fd: number): boolean {
  try {
    return fstatSync(fd).isFIFO();
  } catch {
    return false;
  }
}

/**
 * Finds out, without a write, whether a pipe still has a reader. A named pipe is opened a second time, which fails if it has no reader
 * (fifo(7)). Opening the pipe of a shell always succeeds. For such a pipe, `/proc` is searched for a process that has the reader's end.
 *
 * Linux only. On other systems the reader counts as present. A reader that belongs to another user or container also counts as present.
 */
export class PipeReader {
  readonly #path: string;
  /** The target of the pipe's link in `/proc/PID/fd`, such as `pipe:[3651536]`; for a named pipe its path. */
  readonly #pipe: string | undefined;
  /** The reader's end of the pipe, as a path such as `/proc/123/fd/0`. */
  #end: string | undefined;
  #wasSeen = false;

  /** @param fd the file descriptor of a pipe. */
  constructor(fd: number) {
    this.#path = `/proc/self/fd/${fd}`;
    try {
      this.#pipe = readlinkSync(this.#path);
    } catch {
      // There is no /proc.
    }
  }

  /** Resolves with true if the pipe had a reader and has none any more. */
  async isGone(): Promise<boolean> {
    if (this.#pipe === undefined) return false;
    if (!this.#pipe.startsWith('pipe:')) return hasNoReader(this.#path);
    if (this.#end !== undefined && (await this.#isEnd(this.#end))) return false;
    // Search twice, because the reader's end may pass to a new process during the first search.
    this.#end = (await this.#search()) ?? (await this.#search());
    if (this.#end !== undefined) this.#wasSeen = true;
    return this.#wasSeen && this.#end === undefined;
  }

  async #search(): Promise<string | undefined> {
    for (const pid of await entries('/proc')) {
      if (!/^\d+$/.test(pid) || Number(pid) === process.pid) continue;
      for (const fd of await entries(`/proc/${pid}/fd`)) {
        const path = `/proc/${pid}/fd/${fd}`;
        if (await this.#isEnd(path)) return path;
      }
    }
    return undefined;
  }

  async #isEnd(path: string): Promise<boolean> {
    try {
      return (await readlink(path)) === this.#pipe && ((await lstat(path)).mode & READABLE) !== 0;
    } catch {
      return false;
    }
  }
}

/** The names in a folder; none if the folder cannot be read. */
async function entries(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}

function hasNoReader(path: string): boolean {
  try {
    closeSync(openSync(path, constants.O_WRONLY | constants.O_NONBLOCK));
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENXIO';
  }
}
