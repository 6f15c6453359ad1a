import type { Rejection } from '../ports/publishing.js';
import type { OrderedLanes } from './ordered-lanes.js';
import type { Confirmation, OutgoingMessage } from './types.js';

/**
 * `free`: unused or settled. `queued`: not in the window yet. `waiting`: in the window, to be sent (again). `in-flight`: sent and not
 * answered.
 */
export type SlotState = 'free' | 'queued' | 'waiting' | 'in-flight';

/** The promise of one `publish` call. */
export interface Waiter {
  resolve(confirmation: Confirmation): void;
  reject(error: Error): void;
}

const NO_MESSAGE: OutgoingMessage = { data: '' };
const NO_DATA = new Uint8Array(0);
const NO_SLOTS: readonly Slot[] = [];

/**
 * One message that was accepted and is not settled. The window reuses its slots, so that publishing at full speed creates no garbage. A
 * message that waits for room gets a slot of its own.
 */
export class Slot {
  state: SlotState = 'free';
  token = -1;
  message = NO_MESSAGE;
  partition = 0;
  subject = '';
  headers: Uint8Array | undefined = undefined;
  data: Uint8Array = NO_DATA;
  /** When the message was due. The latency counts from here. */
  dueMs = 0;
  /** The timeout counts from here, see `TimeLimit`. */
  sinceMs = 0;
  sentMs = 0;
  attempts = 0;
  /** True for a message with an id. It can be resent safely. */
  hasId = false;
  /** True if an attempt got no answer. The message may be stored. */
  uncertain = false;
  countedTwice = false;
  refusal: Rejection | undefined = undefined;
  waiter: Waiter | undefined = undefined;

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
 * Messages that are accepted and not settled, oldest first, in a circular buffer. Each message has a token that never repeats, so a late
 * answer cannot match another message.
 */
export class PendingWindow {
  readonly #slots: Slot[];
  readonly #mask: number;
  readonly #maxMessages: number;
  readonly #maxBytes: number;
  readonly #lanes: OrderedLanes | undefined;
  #base = 0;
  #next = 0;
  #bytes = 0;
  #unsettled = 0;
  #inFlight = 0;

  /**
   * The window spans at most `maxMessages` messages, from the oldest unsettled message to the newest. It takes another message while it
   * contains fewer than `maxBytes` bytes. An empty window takes any message.
   *
   * @param lanes needed if at most one message of each partition may be in flight.
   */
  constructor(maxMessages: number, maxBytes: number, lanes?: OrderedLanes) {
    const size = 2 ** Math.ceil(Math.log2(maxMessages));
    this.#slots = Array.from({ length: size }, () => new Slot());
    this.#mask = size - 1;
    this.#maxMessages = maxMessages;
    this.#maxBytes = maxBytes;
    this.#lanes = lanes;
  }

  /** Number of messages that are not settled. */
  get unsettled(): number {
    return this.#unsettled;
  }

  /** Number of messages that are sent and not answered. */
  get inFlight(): number {
    return this.#inFlight;
  }

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
  take(slot: Slot): void {
    const token = this.#next++;
    this.#slots[token & this.#mask] = slot;
    slot.token = token;
    slot.state = 'waiting';
    slot.attempts = 0;
    slot.uncertain = false;
    slot.countedTwice = false;
    this.#bytes += slot.size;
    this.#unsettled++;
    this.#lanes?.add(slot);
  }

  /** True unless an earlier message of the same partition must be settled first. */
  isDue(slot: Slot): boolean {
    return this.#lanes === undefined || this.#lanes.isFirst(slot);
  }

  /** The messages that became due since the last call, because an earlier message was settled. */
  takeReady(): readonly Slot[] {
    return this.#lanes?.takeReady() ?? NO_SLOTS;
  }

  /** Records that a message was sent. */
  sent(slot: Slot, nowMs: number): void {
    slot.attempts++;
    slot.state = 'in-flight';
    slot.sentMs = nowMs;
    this.#inFlight++;
  }

  /** Records that a message was answered. It waits until it is settled or sent again. */
  answered(slot: Slot): void {
    if (slot.state !== 'in-flight') return;
    slot.state = 'waiting';
    this.#inFlight--;
  }

  /** Records that no answer to the last attempt can arrive any more. */
  lost(slot: Slot): void {
    if (slot.state !== 'in-flight') return;
    this.answered(slot);
    slot.uncertain = true;
  }

  /** The unsettled slot of a token, if any. */
  find(token: number): Slot | undefined {
    if (!(token >= this.#base && token < this.#next)) return undefined;
    const slot = this.#at(token);
    return slot.state === 'free' ? undefined : slot;
  }

  /** Frees a slot. If the slot was the oldest, the window advances to the next unsettled slot. */
  settle(slot: Slot): void {
    this.#lanes?.remove(slot);
    if (slot.state === 'in-flight') this.#inFlight--;
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

  #at(token: number): Slot {
    // The mask keeps the index inside the buffer.
    return this.#slots[token & this.#mask] as Slot;
  }
}
