import fc from 'fast-check';
import type { Msg, NatsConnection } from 'nats';
import { decodeHeaders } from '../../src/core/nats/client/headers.js';
import { MicroIdentities } from '../../src/core/nats/service/control.js';
import { bytesLike, textLike } from './inputs.js';

/** A message to a member's subjects. */
export interface Request {
  subject: string;
  reply: string;
  headers: Uint8Array;
  data: Uint8Array;
}

type Deliver = (error: null, message: Msg) => void;

/** On these subjects an answer would become a message of the stream, an entry of the bucket, or a request. */
const FORBIDDEN = /^(\$|natspoc\.|a\.b\.)/;

const listeners = new Map<string, Deliver>();
const connection = {
  isClosed: () => false,
  closed: () => new Promise(() => {}),
  status: () => ({ async *[Symbol.asyncIterator]() {} }),
  flush: async () => {},
  subscribe: (subject: string, { callback }: { callback: Deliver }) => {
    listeners.set(subject, callback);
    return { unsubscribe: () => {} };
  },
};
const identities = new MicroIdentities(connection as unknown as NatsConnection, {
  stream: 'EVENTS',
  group: 'g',
  prefix: 'a.b',
  version: '1.0.0',
  metadata: {},
  stats: () => ({ v: 1 }),
  control: { release: () => [1], retry: () => [1], skip: () => [1], stop: () => [1] },
});
const { id = '' } = (await identities.create()) ?? {};

const AT = `natspoc.EVENTS.g.${id}`;
const SUBJECTS = [
  '$SRV.PING',
  '$SRV.STATS.natspoc',
  `$SRV.INFO.natspoc.${id}`,
  `${AT}.ping`,
  `${AT}.stats`,
  `${AT}.release`,
  `${AT}.stop`,
  `${AT}.retry`,
  `${AT}.skip`,
];

/** Requests as members get them, and messages that are not requests. */
export const requests: fc.Arbitrary<Request> = fc.record({
  subject: fc.constantFrom(...SUBJECTS),
  reply: fc.oneof(
    fc.constantFrom(
      '',
      '_INBOX.a.b',
      `${AT}.stop`,
      '$KV.EVENTS_leases.layout',
      'a.b.p.1',
      '$JS.ACK.EVENTS.r.1.2.3.4.5',
    ),
    textLike('_INBOX.a.b', AT),
  ),
  headers: textLike('NATS/1.0\r\nA: b\r\n\r\n', 'NATS/1.0 503\r\n\r\n').map((text) =>
    new TextEncoder().encode(text),
  ),
  data: bytesLike({ partitions: [1, 2], to: 'x' }, { partitions: 'all', paused: true }),
});

/** The last answer that went to a forbidden subject. An answer after the end of its request is reported with the next request. */
let fault: string | undefined;

/** Delivers a request to the member. Returns the answers that the member gives at once. */
export function serve({ subject, reply, headers, data }: Request): string[] {
  const answers: string[] = [];
  const message = {
    subject,
    reply,
    data,
    headers: decodeHeaders(headers),
    respond: (answer: Uint8Array | undefined) => {
      if (reply === '' || FORBIDDEN.test(reply)) fault = `answered to ${reply}`;
      if (answer && answer.length > 0) answers.push(new TextDecoder().decode(answer));
      return true;
    },
  };
  listeners.get(subject)?.(null, message as unknown as Msg);
  if (fault !== undefined) throw new Error(fault);
  for (const answer of answers) JSON.parse(answer);
  return answers;
}
