/** What the reply subject of a JetStream delivery says about it. */
export interface DeliveryInfo {
  streamSequence: number;
  consumerSequence: number;
  /** When the stream stored the message, milliseconds since 1970. */
  timestampMs: number;
  /** Messages that still wait for this consumer. */
  pending: number;
}

/**
 * Parses a reply subject: `$JS.ACK.<stream>.<consumer>.<delivered>.<sseq>.<cseq>.<time>.<pending>`, or with
 * domain and account hash after `ACK` and an optional last token (NATS ADR-15).
 *
 * @returns undefined for any other subject.
 */
export function parseDelivery(reply: string): DeliveryInfo | undefined {
  const tokens = reply.split('.');
  const first = tokens.length === 9 ? 5 : tokens.length >= 11 ? 7 : -1;
  if (first < 0 || tokens[0] !== '$JS' || tokens[1] !== 'ACK') return undefined;
  const streamSequence = Number(tokens[first]);
  const consumerSequence = Number(tokens[first + 1]);
  const pending = Number(tokens[first + 3]);
  const timestampMs = Number(tokens[first + 2]) / 1_000_000;
  return Number.isSafeInteger(streamSequence) &&
    Number.isSafeInteger(consumerSequence) &&
    Number.isInteger(pending)
    ? { streamSequence, consumerSequence, timestampMs, pending }
    : undefined;
}
