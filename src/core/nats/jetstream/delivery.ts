/** The data in the reply subject of a JetStream delivery. */
export interface DeliveryInfo {
  streamSequence: number;
  consumerSequence: number;
  /** When the stream stored the message, in milliseconds since 1970. */
  timestampMs: number;
  /** Number of messages that wait for this consumer. */
  pending: number;
}

const DOLLAR = 0x24;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const NANOS_PER_MS = 1_000_000;
const NANO_DIGITS = 6;

/**
 * Reads the reply subjects of one consumer's deliveries:
 * `$JS.ACK.<stream>.<consumer>.<delivered>.<sseq>.<cseq>.<time>.<pending>`. The longer form has a domain and an account
 * hash after `ACK`, and an optional last token (NATS ADR-15). Only the numbers differ between deliveries. So the rest is
 * parsed once, and a message needs no allocation.
 */
export class DeliveryReader implements DeliveryInfo {
  streamSequence = 0;
  consumerSequence = 0;
  pending = 0;
  /** 0: unknown. */
  #numbersAt = 0;
  #reply = '';
  /** Index at which the time starts; see {@link timestampAt}. */
  timeAt = 0;

  get timestampMs(): number {
    return timestampAt(this.#reply, this.timeAt);
  }

  /** Reads a reply subject into the fields. For any other subject, returns false and changes nothing. */
  read(reply: string): boolean {
    // Only two characters before the numbers are checked. A full comparison would take longer than parsing the numbers.
    const at = this.#numbersAt;
    if (
      at > 0 &&
      reply.charCodeAt(at - 1) === DOT &&
      reply.charCodeAt(0) === DOLLAR &&
      this.#readAt(reply, at)
    )
      return true;
    const numbersAt = findNumbers(reply);
    if (numbersAt < 0 || numbersAt === at || !this.#readAt(reply, numbersAt)) return false;
    this.#numbersAt = numbersAt;
    return true;
  }

  #readAt(reply: string, at: number): boolean {
    const streamAt = reply.indexOf('.', at) + 1;
    const consumerAt = reply.indexOf('.', streamAt) + 1;
    const timeAt = reply.indexOf('.', consumerAt) + 1;
    const pendingAt = reply.indexOf('.', timeAt) + 1;
    if (streamAt === 0 || consumerAt === 0 || timeAt === 0 || pendingAt === 0) return false;
    const streamSequence = digits(reply, streamAt);
    const consumerSequence = digits(reply, consumerAt);
    const pending = digits(reply, pendingAt);
    if (!(streamSequence > 0 && consumerSequence > 0 && pending >= 0)) return false;
    this.streamSequence = streamSequence;
    this.consumerSequence = consumerSequence;
    this.pending = pending;
    this.#reply = reply;
    this.timeAt = timeAt;
    return true;
  }
}

/** When a message was stored, in milliseconds since 1970. */
export function timestampAt(reply: string, timeAt: number): number {
  const end = reply.indexOf('.', timeAt);
  // The time in nanoseconds as one number would be too large to be exact.
  const milliseconds = Math.max(timeAt, end - NANO_DIGITS);
  return number(reply, timeAt, milliseconds) + number(reply, milliseconds, end) / NANOS_PER_MS;
}

/** The number between `start` (inclusive) and `end` (exclusive). */
function number(text: string, start: number, end: number): number {
  let value = 0;
  for (let at = start; at < end; at++) value = value * 10 + (text.charCodeAt(at) - ZERO);
  return value;
}

/** The whole number from `start` to the next dot or the end. Returns -1 if there is none or it is too large. */
function digits(text: string, start: number): number {
  let value = 0;
  let at = start;
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === DOT) break;
    if (code < ZERO || code > NINE) return -1;
    value = value * 10 + (code - ZERO);
  }
  return at > start && value <= Number.MAX_SAFE_INTEGER ? value : -1;
}

/** Index at which the numbers of a delivery's reply subject start; -1 for any other subject. */
function findNumbers(reply: string): number {
  const tokens = reply.split('.');
  const before = tokens.length === 9 ? 4 : tokens.length >= 11 ? 6 : -1;
  if (before < 0 || tokens[0] !== '$JS' || tokens[1] !== 'ACK') return -1;
  if (!tokens.slice(before, before + 5).every((token) => /^\d+$/.test(token))) return -1;
  return tokens.slice(0, before).join('.').length + 1;
}

/**
 * Reads one reply subject, as {@link DeliveryReader} does.
 *
 * @returns undefined if `reply` is not the reply subject of a delivery.
 */
export function parseDelivery(reply: string): DeliveryInfo | undefined {
  const reader = new DeliveryReader();
  return reader.read(reply) ? reader : undefined;
}
