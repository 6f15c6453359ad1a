import type { Rejection } from '../ports/publishing.js';
import type { Confirmation, OutgoingMessage } from './types.js';

/** `free`: unused or settled. `waiting`: to be sent (again). `in-flight`: sent and not answered. */
export type SlotState = 'free' | 'waiting' | 'in-flight';

/** The promise of one `publish` call. */
export interface Waiter {
  resolve(confirmation: Confirmation): void;
  reject(error: Error): void;
}

const NO_MESSAGE: OutgoingMessage = { data: '' };
const NO_DATA = new Uint8Array(0);

/**
 * One message that was accepted and is not settled. The window reuses its slots, so that publishing at full speed creates no
 * garbage. A new slot is created only for a message that waits for room in the window.
 */
export class Slot {
  state: SlotState = 'free';
  token = -1;
  message = NO_MESSAGE;
  partition = 0;
  subject = '';
  headers: Uint8Array | undefined = undefined;
  data: Uint8Array = NO_DATA;
  /** When the message was due. The latency of the message is measured from this time. */
  dueMs = 0;
  /** When the message entered the window. The timeout of the message is measured from this time. */
  admittedMs = 0;
  /** When the message was last sent. */
  sentMs = 0;
  attempts = 0;
  /** True for a message with an id, which may be resent safely. */
  hasId = false;
  /** True if an attempt got no answer, so that the message may be stored. */
  uncertain = false;
  /** True if the message is already counted in `maybeTwice`. */
  countedTwice = false;
  /** The server's last refusal of an attempt. */
  refusal: Rejection | undefined = undefined;
  waiter: Waiter | undefined = undefined;

  /** Releases the contents of a settled message. */
  clear(): void {
    this.state = 'free';
    this.message = NO_MESSAGE;
    this.headers = undefined;
    this.data = NO_DATA;
    this.refusal = undefined;
    this.waiter = undefined;
  }

  /** Number of bytes that count against the window's limit. */
  get size(): number {
    return this.data.length + (this.headers?.length ?? 0);
  }
}

/**
 * Messages that are accepted and not settled, oldest first, in a circular buffer. Each message has a token, a number that
 * never repeats. So a late answer is never taken for the answer to another message.
 */
export class PendingWindow {
  readonly #slots: Slot[];
  readonly #mask: number;
  readonly #maxMessages: number;
  readonly #maxBytes: number;
  #base = 0;
  #next = 0;
  #bytes = 0;
  #unsettled = 0;

  /**
   * The window holds at most `maxMessages` messages, counted from the oldest unsettled message. It takes another message if
   * it contains fewer than `maxBytes` bytes, or if it is empty.
   */
  constructor(maxMessages: number, maxBytes: number) {
    const size = 2 ** Math.ceil(Math.log2(maxMessages));
    this.#slots = Array.from({ length: size }, () => new Slot());
    this.#mask = size - 1;
    this.#maxMessages = maxMessages;
    this.#maxBytes = maxBytes;
  }

  /** Number of messages that are not settled. */
  get unsettled(): number {
    return this.#unsettled;
  }

  /** True if one more message may enter. */
  get hasRoom(): boolean {
    return (
      this.#next - this.#base < this.#maxMessages && (this.#bytes < this.#maxBytes || this.#unsettled === 0)
    );
  }

  /** A slot for the next message, to be filled and given to {@link take}. */
  get free(): Slot {
    return this.#at(this.#next);
  }

  /** Puts a filled slot into the window, in state `waiting`. Call this method only while the window has room. */
  take(slot: Slot, nowMs: number): void {
    const token = this.#next++;
    this.#slots[token & this.#mask] = slot;
    slot.token = token;
    slot.state = 'waiting';
    slot.admittedMs = nowMs;
    slot.sentMs = nowMs;
    slot.attempts = 0;
    slot.uncertain = false;
    slot.countedTwice = false;
    this.#bytes += slot.size;
    this.#unsettled++;
  }

  /** The unsettled slot of a token, if any. */
  find(token: number): Slot | undefined {
    if (!(token >= this.#base && token < this.#next)) return undefined;
    const slot = this.#at(token);
    return slot.state === 'free' ? undefined : slot;
  }

  /** Frees a slot. If the slot was the oldest, the window advances to the next unsettled slot. */
  settle(slot: Slot): void {
    this.#bytes -= slot.size;
    this.#unsettled--;
    slot.clear();
    while (this.#base < this.#next && this.#at(this.#base).state === 'free') this.#base++;
  }

  /** The unsettled slots, oldest first. Slots may be settled during the iteration. */
  *slots(): Generator<Slot> {
    for (let token = this.#base; token < this.#next; token++) {
      const slot = this.#at(token);
      if (slot.state !== 'free') yield slot;
    }
  }

  /** The unsettled slots that were admitted at or before a time. Slots are admitted in the order of their tokens. */
  *admittedUntil(ms: number): Generator<Slot> {
    for (const slot of this.slots()) {
      if (slot.admittedMs > ms) return;
      yield slot;
    }
  }

  #at(token: number): Slot {
    // The mask keeps the index inside the buffer, whose slots all exist.
    return this.#slots[token & this.#mask] as Slot;
  }
}
