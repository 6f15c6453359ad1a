import type { Msg } from 'nats';

/**
 * Prefixes of the subjects to which no answer is sent. Subjects with these prefixes belong to the server, its APIs, bucket
 * entries and requests to members.
 */
const NEVER_ANSWERED = ['$', 'natspoc.'];

/**
 * True for a message that a client sent to exactly this subject and that expects an answer.
 *
 * A client that may create a consumer can direct a stream's messages to any subject, even to the subject of a request. A
 * message that arrives in this way is not a request. It still has the subject under which it was stored, and a reply
 * subject that the server has set (`$JS.ACK…`). A notice from the server has no reply subject, or a reply subject that
 * starts with `$JS.FC`. The function also returns false if the reply subject would turn the answer into a message of the
 * stream, an entry of a bucket or a request to a member.
 *
 * @param prefix the prefix of the stream's subjects.
 */
export function isRequest(message: Msg, subject: string, prefix: string): boolean {
  const reply = message.reply ?? '';
  if (message.subject !== subject || reply === '' || (message.headers?.code ?? 0) !== 0) return false;
  return ![...NEVER_ANSWERED, `${prefix}.`].some((start) => reply.startsWith(start));
}
