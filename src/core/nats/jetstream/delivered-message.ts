import type { Msg } from 'nats';
import { KEY_HEADER } from '../../protocol/layout.js';
import type { StreamMessage } from '../../protocol/message.js';
import { plainHeaders } from '../client/headers.js';
import { type DeliveryReader, timestampAt } from './delivery.js';

/** Returns the key of a message; null if the message has none. */
export type KeyOf = (message: StreamMessage) => string | null;

/**
 * A delivered message that is decoded on demand. Handlers cannot assign its fields. Otherwise `Object.assign(message, payload)` would change
 * the sequence that the member commits.
 */
export class NatsStreamMessage implements StreamMessage {
  readonly #message: Msg;
  readonly #sequence: number;
  readonly #timeAt: number;
  readonly #keyOf: KeyOf | undefined;
  #data: Uint8Array | undefined;
  #key: string | null | undefined;

  constructor(message: Msg, delivery: DeliveryReader, keyOf: KeyOf | undefined) {
    this.#message = message;
    this.#keyOf = keyOf;
    this.#timeAt = delivery.timeAt;
    this.#sequence = delivery.streamSequence;
  }

  get sequence(): number {
    return this.#sequence;
  }

  get subject(): string {
    return this.#message.subject;
  }

  get data(): Uint8Array {
    this.#data ??= this.#message.data;
    return this.#data;
  }

  get timestampMs(): number {
    return timestampAt(this.#message.reply ?? '', this.#timeAt);
  }

  get size(): number {
    return this.data.length;
  }

  get key(): string | null {
    if (!this.#keyOf) return this.#message.headers?.get(KEY_HEADER) || null;
    // The key is read several times, and parsing a JSON payload is slow.
    if (this.#key === undefined) this.#key = this.#keyOf(this);
    return this.#key;
  }

  headers(): Record<string, string> {
    return plainHeaders(this.#message.headers);
  }
}

// Otherwise an assignment to `headers` would replace the method of that message.
Object.freeze(NatsStreamMessage.prototype);
