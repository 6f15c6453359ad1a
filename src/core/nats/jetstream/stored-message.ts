import type { StoredMessage } from '../../ports/stream-admin.js';
import { KEY_HEADER, partitionOfSubject } from '../../protocol/layout.js';
import { type MessageKey, partitionByKey } from '../../protocol/message-key.js';
import { plainHeaders } from '../client/headers.js';
import type { ReadMessage } from './read-message.js';

/** The partitioning of messages: by the subjects of a layout, or by the keys of a keyed group. */
export interface Partitioned {
  layout: { prefix: string; partitions: number };
  keyed?: { key: MessageKey | undefined } | undefined;
}

/** A stored message as plain data. */
export const storedMessage = (
  partitioned: Partitioned,
  { headers, ...rest }: ReadMessage,
): StoredMessage => ({
  ...rest,
  ...placeOf(partitioned, { headers, ...rest }),
  headers: headerPairs(headers),
});

/** The headers of a message, each value with its name. */
export const headerPairs = (headers: ReadMessage['headers']): [name: string, value: string][] =>
  [...(headers ?? [])].flatMap(([name, values]) => values.map((value): [string, string] => [name, value]));

/**
 * The partition and the key of a message. Each is null if the message has none, or if only the program can compute the
 * key.
 */
export function placeOf(
  { layout: { prefix, partitions }, keyed }: Partitioned,
  { sequence, atMs: timestampMs, subject, data, headers }: ReadMessage,
): Pick<StoredMessage, 'partition' | 'key'> {
  const key = headers?.get(KEY_HEADER) || null;
  if (!keyed) {
    const partition = partitionOfSubject(prefix, subject);
    return { partition: partition !== undefined && partition < partitions ? partition : null, key };
  }
  if (!keyed.key) return { partition: null, key: null };
  const message = {
    sequence,
    subject,
    data,
    size: data.length,
    timestampMs,
    key,
    headers: () => plainHeaders(headers),
  };
  const found = keyed.key.of(message);
  return { partition: partitionByKey(found, message, partitions), key: found };
}
