import type { Msg } from 'nats';

/**
 * Size of a message in bytes with its subjects and headers, as the server counts it for `max_bytes`. The client has the
 * method `size()`, but its types do not declare it. Reading `data` would create another view of the bytes.
 */
export const sizeOf = (message: Msg): number =>
  'size' in message && typeof message.size === 'function' ? Number(message.size()) : message.data.length;
