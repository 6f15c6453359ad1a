import type { Writable } from 'node:stream';
import { NatspocError } from '../../core/lib/errors.js';
import { systemReason } from '../../core/lib/system-reason.js';
import { StopConsuming } from '../../core/member/partition/handler.js';

/** Text is buffered up to this size before it is written. */
const CHUNK_CHARACTERS = 65_536;

/** True for the error of a pipe whose reader is gone. */
const isGoneReader = (error: Error): boolean => 'code' in error && error.code === 'EPIPE';

/** The error for a standard output that can no longer be written to. */
export function outputFailure(cause: Error): NatspocError {
  return new NatspocError('failed', `Cannot write to standard output: ${systemReason(cause)}.`, { cause });
}

interface Waiter {
  resolve: () => void;
  reject: (error: Error) => void;
}

/**
 * Writes lines to a stream in few writes. If the reader is slow, `write` returns a promise to wait for. `written` resolves when the
 * operating system has taken all lines so far. Only then is the member allowed to commit their position.
 */
export class LineWriter {
  readonly #stream: Writable;
  #pending = '';
  #scheduled = false;
  #given = 0;
  #written = 0;
  #drained: Promise<void> | undefined;
  #full: Waiter | undefined;
  #waiting: (Waiter & { for: number })[] = [];
  #closed: StopConsuming | undefined;
  #failure: NatspocError | undefined;
  #onClosed: () => void = () => {};

  constructor(stream: Writable) {
    this.#stream = stream;
    stream.on('error', (error) => this.#close(error));
  }

  /** Number of chunks given to the stream so far. */
  get given(): number {
    return this.#given;
  }

  /** True if nothing more can be written. */
  get isClosed(): boolean {
    return this.#closed !== undefined;
  }

  /** The reason why nothing more can be written. Undefined if the reader closed the pipe, which is not a failure. */
  get failure(): NatspocError | undefined {
    return this.#failure;
  }

  /** Calls back when the output is closed, or immediately if it is closed already. */
  whenClosed(callback: () => void): void {
    if (this.#closed) callback();
    else this.#onClosed = callback;
  }

  /** Closes the output of a pipe that has no reader any more, before a write fails. */
  readerIsGone(): void {
    this.#close(Object.assign(new Error('the pipe has no reader'), { code: 'EPIPE' }));
  }

  /**
   * Adds one line and a line feed. If the stream is full, returns a promise to wait for.
   *
   * @throws StopConsuming (or rejects with it) if nothing more can be written: the reader is gone, or the disk is full.
   */
  write(line: string): Promise<void> | undefined {
    if (this.#closed) throw this.#closed;
    this.#pending += `${line}\n`;
    if (this.#pending.length >= CHUNK_CHARACTERS) this.#flush();
    else if (!this.#scheduled) {
      this.#scheduled = true;
      setImmediate(() => this.#flush());
    }
    return this.#drained;
  }

  /** Like `write`, but writes bytes unchanged. */
  writeBytes(bytes: Uint8Array): Promise<void> | undefined {
    if (this.#closed) throw this.#closed;
    this.#flush();
    this.#give(bytes);
    return this.#drained;
  }

  /** Resolves when everything given so far has been written; undefined if it has been already. Rejects if a write failed. */
  written(): Promise<void> | undefined {
    this.#flush();
    if (this.#closed) return Promise.reject(this.#closed);
    if (this.#written === this.#given) return undefined;
    return new Promise((resolve, reject) => this.#waiting.push({ for: this.#given, resolve, reject }));
  }

  #flush(): void {
    this.#scheduled = false;
    if (this.#pending === '' || this.#closed) return;
    const chunk = this.#pending;
    this.#pending = '';
    this.#give(chunk);
  }

  #give(chunk: string | Uint8Array): void {
    const number = ++this.#given;
    const more = this.#stream.write(chunk, (error) => {
      if (error) this.#close(error);
      else this.#wrote(number);
    });
    if (more || this.#drained) return;
    this.#drained = new Promise((resolve, reject) => {
      this.#full = { resolve, reject };
    });
    // If no caller waits, a rejection must not count as unhandled.
    this.#drained.catch(() => {});
    this.#stream.once('drain', () => {
      const full = this.#full;
      this.#drained = undefined;
      this.#full = undefined;
      full?.resolve();
    });
  }

  #wrote(number: number): void {
    this.#written = number;
    const waiting = this.#waiting;
    this.#waiting = waiting.filter((waiter) => waiter.for > number);
    for (const waiter of waiting) if (waiter.for <= number) waiter.resolve();
  }

  #close(cause: Error): void {
    if (this.#closed) return;
    const failure = isGoneReader(cause) ? undefined : outputFailure(cause);
    this.#failure = failure;
    this.#closed = new StopConsuming(failure?.message ?? 'the reader of the output is gone', { cause });
    // Call back before the promises reject. The member then leaves, instead of halting partitions.
    this.#onClosed();
    this.#full?.reject(this.#closed);
    for (const { reject } of this.#waiting) reject(this.#closed);
    this.#waiting = [];
  }
}
