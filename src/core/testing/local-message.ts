import { KEY_HEADER } from '../protocol/layout.js';
import type { StreamMessage } from '../protocol/message.js';
import type { MessageKey } from '../protocol/message-key.js';

/** The parts of a message. */
export interface MessageParts {
  readonly sequence: number;
  readonly subject: string;
  readonly data: Uint8Array;
  /** Milliseconds since 1970. */
  readonly timestampMs: number;
  /** All headers, including the header of the key. */
  readonly headers: Readonly<Record<string, string>>;
}

/** A message of the model as handlers get it. As in a real member, handlers cannot assign its fields. */
export class LocalMessage implements StreamMessage {
  readonly #parts: MessageParts;
  readonly #keyOf: MessageKey['of'] | undefined;
  #key: string | null | undefined;

  /** @param keyOf finds the key. Default: the key is in the header `Natspoc-Key`. */
  constructor(parts: MessageParts, keyOf?: MessageKey['of']) {
    this.#parts = parts;
    this.#keyOf = keyOf;
  }

  get sequence(): number {
    return this.#parts.sequence;
  }

  get subject(): string {
    return this.#parts.subject;
  }

  get data(): Uint8Array {
    return this.#parts.data;
  }

  get timestampMs(): number {
    return this.#parts.timestampMs;
  }

  get size(): number {
    return this.data.length;
  }

  get key(): string | null {
    if (!this.#keyOf) return this.#parts.headers[KEY_HEADER] || null;
    // As in a real member, the program's function is called once.
    if (this.#key === undefined) this.#key = this.#keyOf(this);
    return this.#key;
  }

  headers(): Record<string, string> {
    return { ...this.#parts.headers };
  }
}

Object.freeze(LocalMessage.prototype);
