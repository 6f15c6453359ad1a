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

/** A message of the model as handlers get it. */
export class LocalMessage implements StreamMessage {
  readonly sequence: number;
  readonly subject: string;
  readonly data: Uint8Array;
  readonly timestampMs: number;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #keyOf: MessageKey['of'] | undefined;
  #key: string | null | undefined;

  /** @param keyOf finds the key. Default: the key is in the header `Natspoc-Key`. */
  constructor({ sequence, subject, data, timestampMs, headers }: MessageParts, keyOf?: MessageKey['of']) {
    this.sequence = sequence;
    this.subject = subject;
    this.data = data;
    this.timestampMs = timestampMs;
    this.#headers = headers;
    this.#keyOf = keyOf;
  }

  get size(): number {
    return this.data.length;
  }

  get key(): string | null {
    if (!this.#keyOf) return this.#headers[KEY_HEADER] || null;
    // As in a real member, the program's function is called once.
    if (this.#key === undefined) this.#key = this.#keyOf(this);
    return this.#key;
  }

  headers(): Record<string, string> {
    return { ...this.#headers };
  }
}
