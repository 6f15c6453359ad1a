import type { Msg } from 'nats';

/**
 * Bytes of a message with its subjects and headers, as the server counts them for `max_bytes`. The client knows, though
 * its interface does not say so; asking for the payload would make another view of it.
 */
export const sizeOf = (message: Msg): number =>
  'size' in message && typeof message.size === 'function' ? Number(message.size()) : message.data.length;
