import type { Readable } from 'node:stream';
import { messageOf, NatspocError } from '../../core/lib/errors.js';
import { withoutStop } from '../../core/lib/text.js';
import { fitsHeader } from '../../core/publisher/envelope.js';
import type { OutgoingMessage } from '../../core/publisher/types.js';
import { type Addressing, addresser, type MessageSource } from './source.js';

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
/** The longest accepted line. Longer input probably has no lines. */
const MAX_LINE_BYTES = 64 * 1024 * 1024;

/** Options for turning lines into messages. */
export interface LineOptions extends Addressing {
  /** Each line is JSON, and the value at this path, such as `user.id`, is the key. */
  keyField?: string | undefined;
  /** A line without a usable key ends the source with an error, or is skipped and counted. */
  onBadLine: 'stop' | 'skip';
  /** Names the input in messages: `stdin`, or the path of a file. */
  name: string;
}

/** The key at a path of a JSON document, or the reason why there is no usable key. */
function keyAt(line: Uint8Array, path: readonly string[]): { key: string } | { problem: string } {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(line.buffer, line.byteOffset, line.length).toString('utf8'));
  } catch {
    return { problem: 'is not JSON' };
  }
  for (const name of path) {
    const inside: object | undefined = typeof value === 'object' && value !== null ? value : undefined;
    value = inside && Object.hasOwn(inside, name) ? Reflect.get(inside, name) : undefined;
  }
  const text = typeof value === 'string' ? value : typeof value === 'number' ? String(value) : undefined;
  if (text === undefined) return { problem: `has no text or number at ${path.join('.')}` };
  if (!fitsHeader(text)) {
    return { problem: `has a key at ${path.join('.')} that cannot be sent in a header` };
  }
  return { key: text };
}

/** Turns each line of a byte stream into a message. Reads only on demand. Drops blank lines, and a carriage return at the end of a line. */
export class LineSource implements MessageSource {
  readonly #options: LineOptions;
  readonly #input: Readable;
  readonly #chunks: AsyncIterator<unknown>;
  readonly #path: readonly string[] | undefined;
  readonly #address;
  /** The start of a line whose newline has not been read yet. */
  #rest: Uint8Array[] = [];
  #restBytes = 0;
  #chunk: Uint8Array = new Uint8Array(0);
  #offset = 0;
  #ended = false;
  #line = 0;
  #count = 0;
  #skipped = 0;

  constructor(input: Readable, options: LineOptions) {
    this.#options = options;
    this.#input = input;
    this.#chunks = input[Symbol.asyncIterator]();
    this.#path = options.keyField?.split('.');
    this.#address = addresser(options);
  }

  get skipped(): number {
    return this.#skipped;
  }

  get place(): string {
    return `Line ${this.#line} of ${this.#options.name}`;
  }

  /** @throws NatspocError `failed` if the input cannot be read; `usage` at a bad line, if `onBadLine` is `stop`. */
  next(): OutgoingMessage | undefined | Promise<OutgoingMessage | undefined> {
    for (let line = this.#nextLine(); line !== undefined; line = this.#nextLine()) {
      const message = this.#toMessage(line);
      if (message) return message;
    }
    return this.#ended ? undefined : this.#readOn();
  }

  close(): void {
    this.#input.destroy();
  }

  async #readOn(): Promise<OutgoingMessage | undefined> {
    let read: IteratorResult<unknown>;
    try {
      read = await this.#chunks.next();
    } catch (cause) {
      throw new NatspocError(
        'failed',
        `Cannot read ${this.#options.name}: ${withoutStop(messageOf(cause))}.`,
        { cause },
      );
    }
    if (read.done) this.#ended = true;
    else this.#chunk = read.value instanceof Uint8Array ? read.value : Buffer.from(String(read.value));
    this.#offset = 0;
    return this.next();
  }

  /** The next complete line without its newline. Only a line that spans two chunks is copied. */
  #nextLine(): Uint8Array | undefined {
    const end = this.#chunk.indexOf(NEWLINE, this.#offset);
    if (end < 0) {
      if (this.#offset < this.#chunk.length) this.#keep(this.#chunk.subarray(this.#offset));
      this.#chunk = new Uint8Array(0);
      this.#offset = 0;
      return this.#ended && this.#restBytes > 0 ? this.#takeRest(new Uint8Array(0)) : undefined;
    }
    const piece = this.#chunk.subarray(this.#offset, end);
    this.#offset = end + 1;
    return this.#restBytes > 0 ? this.#takeRest(piece) : trimEnd(piece);
  }

  #keep(piece: Uint8Array): void {
    this.#rest.push(piece);
    this.#restBytes += piece.length;
    if (this.#restBytes > MAX_LINE_BYTES) {
      throw new NatspocError(
        'failed',
        `Line ${this.#line + 1} of ${this.#options.name} is longer than 64 MiB.`,
      );
    }
  }

  #takeRest(end: Uint8Array): Uint8Array {
    const line = Buffer.concat([...this.#rest, end]);
    this.#rest = [];
    this.#restBytes = 0;
    return trimEnd(line);
  }

  #toMessage(data: Uint8Array): OutgoingMessage | undefined {
    this.#line++;
    if (data.length === 0) return undefined;
    const address = this.#address(this.#count + 1);
    if (this.#path === undefined) {
      this.#count++;
      return {
        data,
        key: address.key,
        partition: address.partition,
        headers: address.headers,
        id: address.id,
      };
    }
    const found = keyAt(data, this.#path);
    if ('key' in found) {
      this.#count++;
      return { data, key: found.key, partition: address.partition, headers: address.headers, id: address.id };
    }
    if (this.#options.onBadLine === 'stop') {
      throw new NatspocError(
        'usage',
        `${this.place} ${found.problem}. Use --skip-bad-lines to skip such lines.`,
      );
    }
    this.#skipped++;
    return undefined;
  }
}

function trimEnd(line: Uint8Array): Uint8Array {
  return line[line.length - 1] === CARRIAGE_RETURN ? line.subarray(0, -1) : line;
}
