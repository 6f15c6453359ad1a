import type { MsgHdrs } from 'nats';
import type { StoredMessage } from '../../ports/stream-admin.js';
import { KEY_HEADER, partitionOfSubject } from '../../protocol/layout.js';

/** What the client delivered of a stored message. */
type Received = Pick<StoredMessage, 'sequence' | 'atMs' | 'subject' | 'data'> & {
  headers: MsgHdrs | undefined;
};

/** A stored message as plain data; `prefix` is the layout's. */
export const storedMessage = (prefix: string, { headers, ...rest }: Received): StoredMessage => ({
  ...rest,
  partition: partitionOfSubject(prefix, rest.subject) ?? null,
  key: headers?.get(KEY_HEADER) || null,
  headers: [...(headers ?? [])].flatMap(([name, values]) =>
    values.map((value): [string, string] => [name, value]),
  ),
});
