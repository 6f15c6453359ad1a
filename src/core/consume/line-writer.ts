import type { Writable } from 'node:stream';

/** Lines are gathered up to this size before they are written. */
const CHUNK_CHARACTERS = 65_536;

/**
 * Writes lines to a stream in few writes, and holds the writer back where the reader is slow: `write` returns
 * a promise then, and nothing otherwise. `written` tells when the operating system has what was given so far:
 * only then may a position that covers it be committed.
 */
export class LineWriter {
  readonly #stream: Writable;
  #pending = '';
  #scheduled = false;
  #unwritten = 0;
  #drained: Promise<void> | undefined;
  #waiting: (() => void)[] = [];

  constructor(stream: Writable) {
    this.#stream = stream;
  }

  /** Adds one line; the line feed is added here. Resolves when the stream takes more, if it is full. */
  write(line: string): Promise<void> | undefined {
    this.#pending += `${line}\n`;
    if (this.#pending.length >= CHUNK_CHARACTERS) this.#flush();
    else if (!this.#scheduled) {
      this.#scheduled = true;
      setImmediate(() => this.#flush());
    }
    return this.#drained;
  }

  /** Resolves when everything that was given is written; nothing to wait for: undefined. */
  written(): Promise<void> | undefined {
    this.#flush();
    if (this.#unwritten === 0) return undefined;
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #flush(): void {
    this.#scheduled = false;
    if (this.#pending === '') return;
    const chunk = this.#pending;
    this.#pending = '';
    this.#unwritten++;
    const more = this.#stream.write(chunk, (error) => {
      // Not written: whoever waits goes on waiting, and nothing is committed. The stream reports the error.
      if (error) return;
      if (--this.#unwritten > 0) return;
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const resolve of waiting) resolve();
    });
    if (more || this.#drained) return;
    this.#drained = new Promise((resolve) => {
      this.#stream.once('drain', () => {
        this.#drained = undefined;
        resolve();
      });
    });
  }
}
