import type { Msg } from 'nats';

/**
 * Bytes of a message with its subjects and headers, as the server counts them for `max_bytes`. The client knows this
 * number, although its types do not show it. Reading the payload instead would create another view of the bytes.
 */
export const sizeOf = (message: Msg): number =>
  'size' in message && typeof message.size === 'function' ? Number(message.size()) : message.data.length;
