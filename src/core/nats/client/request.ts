import type { Msg } from 'nats';

/**
 * No answer is sent to subjects with these prefixes. They belong to the server, its APIs, buckets and requests to
 * members.
 */
const NEVER_ANSWERED = ['$', 'natspoc.'];

/**
 * True if a client sent the message to exactly this subject and expects an answer.
 *
 * Other messages can arrive here too. A client that may create a consumer can direct a stream's messages to any subject.
 * Such a message still has its stored subject, and a reply subject from the server (`$JS.ACK…`). A notice from the
 * server has no reply subject, or one that starts with `$JS.FC`.
 *
 * Some reply subjects are unsafe. For example, an answer to `<prefix>.x` would become a message of the stream.
 *
 * @param prefix the prefix of the stream's subjects.
 */
export function isRequest(message: Msg, subject: string, prefix: string): boolean {
  const reply = message.reply ?? '';
  if (message.subject !== subject || reply === '' || (message.headers?.code ?? 0) !== 0) return false;
  return ![...NEVER_ANSWERED, `${prefix}.`].some((start) => reply.startsWith(start));
}
