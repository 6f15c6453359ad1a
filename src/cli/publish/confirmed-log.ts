import { closeSync, constants, fstatSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { NatspocError } from '../../core/lib/errors.js';
import { systemReason } from '../../core/lib/system-reason.js';
import { toJson } from '../../core/lib/text.js';
import type { OutgoingMessage } from '../../core/publisher/types.js';
import { payloadJson } from '../../text/json.js';

const CHUNK_CHARACTERS = 64 * 1024;

/**
 * Writes a line of JSON for each confirmed message: `{"partition":3,"sequence":12,"key":"user-7","data":"…"}`. The lines have the fields of
 * `consume`, so that both outputs can be compared. An existing file is truncated only at the first write, so that it survives a run that
 * fails before.
 */
export class ConfirmedLog {
  readonly #path: string;
  readonly #fd: number;
  #chunk = '';
  #begun = false;

  /** @throws NatspocError `usage` if the file cannot be opened. */
  constructor(path: string) {
    this.#path = path;
    try {
      this.#fd = openSync(path, constants.O_WRONLY | constants.O_CREAT);
    } catch (cause) {
      throw new NatspocError('usage', `--confirmed: cannot write ${path}: ${systemReason(cause)}.`, {
        cause,
      });
    }
  }

  /** @throws NatspocError `failed` if the file cannot be written. */
  add(message: OutgoingMessage, partition: number, sequence: number, duplicate: boolean): void {
    const line = {
      ...(message.subject === undefined ? { partition } : { subject: message.subject }),
      sequence,
      key: message.key ?? null,
      ...(duplicate && { duplicate }),
      ...payloadJson(message.data),
    };
    this.#chunk += `${toJson(line)}\n`;
    if (this.#chunk.length >= CHUNK_CHARACTERS) this.#flush();
  }

  close(): void {
    this.#flush();
    closeSync(this.#fd);
  }

  #flush(): void {
    let bytes = Buffer.from(this.#chunk, 'utf8');
    this.#chunk = '';
    try {
      // A pipe or a terminal cannot be truncated.
      if (!this.#begun && fstatSync(this.#fd).isFile()) ftruncateSync(this.#fd);
      this.#begun = true;
      while (bytes.length > 0) bytes = bytes.subarray(writeSync(this.#fd, bytes));
    } catch (cause) {
      throw new NatspocError('failed', `Cannot write ${this.#path}: ${systemReason(cause)}.`, { cause });
    }
  }
}
