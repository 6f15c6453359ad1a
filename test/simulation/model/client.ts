import type { ConsumerConfig, MsgHdrs } from 'nats';
import type { NatsHandles } from '../../../src/core/nats/client/handles.js';
import { BUCKET_STREAM, BucketApi, type ClientPorts } from './bucket-api.js';
import type { Side } from './connection.js';
import type { PullOrder, Sent } from './consumers.js';
import { StreamApi, type Violation } from './stream-api.js';

type Receiver = (error: Error | null, message: Sent) => void;
interface Status {
  type: string;
  data: string;
  permissionContext?: Violation;
}

/** The part of the NATS client that stream and bucket use. A member's real `NatsEventStream` and `NatsBucket` run on it. */
export class SimClient {
  readonly stream: StreamApi;
  readonly bucket: BucketApi;
  readonly handles: NatsHandles;
  /** The receivers, by the subjects of their subscriptions. A subject's last token is a wildcard. */
  readonly #receivers = new Map<string, Receiver>();
  readonly #statuses = new Feed<Status>();

  /** `name` is the member's name. `answerMs` is how long the member waits for the state of the stream. */
  constructor(ports: ClientPorts, name: string, answerMs: number) {
    const { connection, server } = ports;
    const statuses = this.#statuses;
    this.bucket = new BucketApi(ports, name);
    this.stream = new StreamApi(server, connection, (permissionContext) =>
      statuses.push({ type: 'error', data: 'PERMISSIONS_VIOLATION', permissionContext }),
    );
    connection.listen({
      disconnected: () => statuses.push({ type: 'disconnect', data: '' }),
      reconnected: () => statuses.push({ type: 'reconnect', data: '' }),
    });
    const send = (side: Side) => (messages: Sent[]) =>
      connection.deliver(side, () => this.#receive(messages));
    const client = {
      info: { version: server.log.countsDrops ? '2.10.27' : '2.9.10' },
      isClosed: () => false,
      closed: () => new Promise(() => {}),
      status: () => statuses,
      subscribe: (subject: string, { callback }: { callback: Receiver }) => {
        this.#receivers.set(subject, callback);
        return { unsubscribe: () => this.#receivers.delete(subject) };
      },
      publish: (subject: string, payload: string, { reply: inbox }: { reply: string }) => {
        const [stream = '', name = ''] = subject.split('.').slice(-2);
        this.#api(stream).pull(name, JSON.parse(payload) as PullOrder, inbox, send);
      },
      request: async (
        subject: string,
        data: Uint8Array,
        { timeout, headers }: { timeout: number; headers: MsgHdrs },
      ) => ({
        data: await this.bucket.write({ subject, data, header: (name) => headers.get(name) }, timeout),
      }),
    };
    const manager = {
      getOptions: () => ({ apiPrefix: '$JS.API' }),
      consumers: {
        add: (stream: string, config: Partial<ConsumerConfig>) =>
          stream === BUCKET_STREAM ? this.bucket.createWatch(config) : this.stream.create(config),
        info: (_stream: string, name: string) => this.stream.state(name),
        delete: (stream: string, name: string) =>
          stream === BUCKET_STREAM ? this.bucket.deleteWatch(name) : this.stream.delete(name),
      },
      streams: {
        info: () => this.stream.info(),
        getMessage: (stream: string, query: { last_by_subj?: string; seq: number }) => {
          const { last_by_subj: subject = '', seq } = query;
          if (stream === BUCKET_STREAM) return this.bucket.newest(subject);
          return subject === '' ? this.stream.message(seq) : this.stream.newest(subject);
        },
      },
    };
    // This object contains only what the stream and the bucket use.
    this.handles = {
      connection: client as unknown as NatsHandles['connection'],
      manager: manager as unknown as NatsHandles['manager'],
      inboxPrefix: undefined,
      answerMs,
      clock: connection.process.clock,
    };
  }

  #api(stream: string): StreamApi | BucketApi {
    return stream === BUCKET_STREAM ? this.bucket : this.stream;
  }

  #receive(messages: Sent[]): void {
    for (const message of messages) {
      const { inbox } = message;
      this.#receivers.get(`${inbox.slice(0, inbox.lastIndexOf('.'))}.*`)?.(null, message);
    }
  }
}

/** An endless queue for a single iterator. */
class Feed<T> implements AsyncIterable<T> {
  #waiting: T[] = [];
  #wake: (() => void) | undefined;

  push(value: T): void {
    this.#waiting.push(value);
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncIterator<T> {
    while (true) {
      const values = this.#waiting;
      this.#waiting = [];
      for (const value of values) yield value;
      if (this.#waiting.length > 0) continue;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
