import { closeSync, openSync, writeSync } from 'node:fs';

/** Appends lines of JSON to a file, each with one synchronous write. */
export class LineFile<T> {
  readonly #fd: number;

  constructor(path: string) {
    this.#fd = openSync(path, 'a');
  }

  write(record: T): void {
    writeSync(this.#fd, `${JSON.stringify(record)}\n`);
  }

  close(): void {
    closeSync(this.#fd);
  }
}
