import type { NatsConnection } from 'nats';
import { messageOf, NatspocError } from '../../lib/errors.js';
import type { KeepingStream } from '../../ports/keeping-stream.js';
import { natsPublishPort } from './pipeline.js';

/** The stream that must confirm the message; see {@link natsPublishPort}. */
export interface PublishTarget {
  stream: string;
  domain?: string | undefined;
  inboxPrefix?: string | undefined;
}

/** One message as it is sent. */
export interface EncodedMessage {
  subject: string;
  headers: Uint8Array;
  data: Uint8Array;
}

/** Publishes one message and waits for the answer of the intended stream. `unknown`: the message may have been stored. */
export function publishOnce(
  connection: NatsConnection,
  target: PublishTarget,
  message: EncodedMessage,
  timeoutMs: number,
): ReturnType<KeepingStream['publish']> {
  type Outcome = Awaited<ReturnType<KeepingStream['publish']>>;
  const closed = new NatspocError(
    'unreachable',
    `Could not store in ${target.stream}: the connection to NATS was lost.`,
  );
  if (connection.isClosed()) return Promise.resolve({ kind: 'unknown', closed });
  return new Promise<Outcome>((resolve) => {
    const unknown = (): void => end({ kind: 'unknown' });
    const failed = (code: 'not-permitted' | 'storage-failed', why: string): void =>
      end({ kind: 'failed', error: new NatspocError(code, `Could not store in ${target.stream}: ${why}.`) });
    const open = natsPublishPort(connection, target);
    const port = open({
      confirmed: (_token, sequence, duplicate) => end({ kind: 'stored', sequence, duplicate }),
      rejected: (_token, { retryable, description }) =>
        retryable ? end({ kind: 'unknown', refusal: description }) : failed('storage-failed', description),
      // The intended stream's answer may still arrive.
      elsewhere: () => {},
      denied: (subject) => {
        if (subject === message.subject) failed('not-permitted', `not permitted to publish ${subject}`);
      },
      disconnected: unknown,
      reconnected: () => {},
      closed: (error) =>
        end(error.code === 'not-permitted' ? { kind: 'failed', error } : { kind: 'unknown', closed }),
    });
    const timer = setTimeout(unknown, timeoutMs);
    function end(outcome: Outcome): void {
      clearTimeout(timer);
      port.close();
      resolve(outcome);
    }
    try {
      if (!port.send(message.subject, 1, message.headers, message.data)) unknown();
    } catch (error) {
      failed('storage-failed', messageOf(error));
    }
  }).catch(() => ({ kind: 'unknown' }) as const);
}
