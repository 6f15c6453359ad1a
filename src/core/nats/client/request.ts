import type { Msg } from 'nats';

/** Where the server's own answers go, and where the entries of buckets, the APIs and the orders to members are. */
const NEVER_ANSWERED = ['$', 'natspoc.'];

/**
 * True for a message that a client sent to this very subject, and for which it awaits an answer.
 *
 * A client that may create a consumer can have a stream's messages delivered to any subject. A delivery keeps the subject that
 * it was stored with, and has a reply of the server's (`$JS.ACK…`); a notice of the server has none, or `$JS.FC…`.
 * An answer also must not become a message of the stream, an entry of a bucket or an order to a member, because a client
 * names one of those as the place for it.
 *
 * @param prefix of the stream's subjects
 */
export function isRequest(message: Msg, subject: string, prefix: string): boolean {
  const reply = message.reply ?? '';
  if (message.subject !== subject || reply === '' || (message.headers?.code ?? 0) !== 0) return false;
  return ![...NEVER_ANSWERED, `${prefix}.`].some((start) => reply.startsWith(start));
}
