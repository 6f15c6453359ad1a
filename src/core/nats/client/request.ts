import type { Msg } from 'nats';

/** Subjects of the server, of bucket entries, of APIs and of requests to members. */
const NEVER_ANSWERED = ['$', 'natspoc.'];

/**
 * True for a message that a client sent to exactly this subject and that expects an answer.
 *
 * A client that may create a consumer can have a stream's messages delivered to any subject. A delivery keeps its
 * stored subject, and its reply subject is the server's (`$JS.ACK…`); a notice of the server has no reply subject, or
 * `$JS.FC…`. Also, a client must not be able to choose a reply subject that turns an answer into a message of the
 * stream, an entry of a bucket or a request to a member.
 *
 * @param prefix of the stream's subjects
 */
export function isRequest(message: Msg, subject: string, prefix: string): boolean {
  const reply = message.reply ?? '';
  if (message.subject !== subject || reply === '' || (message.headers?.code ?? 0) !== 0) return false;
  return ![...NEVER_ANSWERED, `${prefix}.`].some((start) => reply.startsWith(start));
}
