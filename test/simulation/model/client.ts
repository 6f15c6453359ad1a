import { type ConsumerConfig, NatsError } from 'nats';
import type { NatsHandles } from '../../../src/core/nats/handles.js';
import { API_ERRORS } from '../../../src/core/nats/outcome.js';
import type { Connection } from './connection.js';
import type { Consumers, PullOrder, Sent } from './consumers.js';
import type { EventLog } from './log.js';
import { request } from './request.js';

/** How long the JetStream API is waited for, as the client does by default. */
const TIMEOUT_MS = 5_000;
const API = '$JS.API';
const ALREADY_EXISTS = 10_148;

/** What is wrong for good with one member's way to the stream. */
export interface ClientFaults {
  /** What it asks of consumers is refused: it may not, or the stream is said to be gone. */
  refuses: ReadonlySet<'create' | 'delete' | 'pull'>;
  why: 'not permitted' | 'no stream';
}

type Receiver = (error: Error | null, message: Sent) => void;
interface Status {
  type: string;
  data: string;
  permissionContext?: { operation: string; subject: string };
}
type Answer<T> = { value: T } | { error: NatsError };

/**
 * The NATS client of one member, as far as the readers of the stream use it: the real `NatsEventStream` and
 * `PullReader` run on it.
 */
export class SimClient {
  readonly faults: ClientFaults = { refuses: new Set(), why: 'not permitted' };
  readonly handles: NatsHandles;
  readonly #connection: Connection;
  readonly #consumers: Consumers;
  readonly #log: EventLog;
  /** By subject, whose last token is a wildcard. */
  readonly #receivers = new Map<string, Receiver>();
  readonly #statuses = new Feed<Status>();

  constructor(connection: Connection, consumers: Consumers, log: EventLog) {
    this.#connection = connection;
    this.#consumers = consumers;
    this.#log = log;
    connection.listen({
      disconnected: () => this.#statuses.push({ type: 'disconnect', data: '' }),
      reconnected: () => this.#statuses.push({ type: 'reconnect', data: '' }),
    });
    const client = {
      isClosed: () => false,
      closed: () => new Promise(() => {}),
      status: () => this.#statuses,
      subscribe: (subject: string, { callback }: { callback: Receiver }) => {
        this.#receivers.set(subject, callback);
        return { unsubscribe: () => this.#receivers.delete(subject) };
      },
      publish: (subject: string, payload: string, { reply }: { reply: string }) =>
        this.#pull(subject, JSON.parse(payload) as PullOrder, reply),
    };
    const manager = {
      getOptions: () => ({ apiPrefix: API }),
      consumers: {
        add: (_stream: string, config: Partial<ConsumerConfig>) => this.#create(config),
        delete: (_stream: string, name: string) => this.#delete(name),
      },
      streams: { info: () => this.#info() },
    };
    // Only what the readers use is there.
    this.handles = {
      connection: client as unknown as NatsHandles['connection'],
      manager: manager as unknown as NatsHandles['manager'],
      inboxPrefix: undefined,
      clock: connection.process.clock,
    };
  }

  #create(config: Partial<ConsumerConfig>): Promise<{ num_pending: number }> {
    const { name = '', filter_subject: subject = '', opt_start_seq: start = 1 } = config;
    const partition = Number(subject.slice(subject.lastIndexOf('.') + 1));
    return this.#ask<{ num_pending: number }>('create', `${API}.CONSUMER.CREATE.EVENTS.${name}`, () => {
      const created = this.#consumers.create(name, partition, start);
      if (!created) return { error: apiError(ALREADY_EXISTS, 'consumer already exists') };
      return { value: { num_pending: created.pending } };
    });
  }

  #delete(name: string): Promise<boolean> {
    return this.#ask<boolean>('delete', `${API}.CONSUMER.DELETE.EVENTS.${name}`, () =>
      this.#consumers.delete(name)
        ? { value: true }
        : { error: apiError(API_ERRORS.consumerNotFound, 'consumer not found') },
    );
  }

  #info(): Promise<{ state: { first_seq: number; last_seq: number } }> {
    return this.#ask(undefined, `${API}.STREAM.INFO.EVENTS`, () => ({
      value: { state: { first_seq: 1, last_seq: this.#log.last } },
    }));
  }

  async #ask<T>(
    what: 'create' | 'delete' | undefined,
    subject: string,
    atServer: () => Answer<T>,
  ): Promise<T> {
    const answered = await request<Answer<T> | undefined>(
      this.#connection,
      TIMEOUT_MS,
      (_side, answer) => {
        if (this.#consumers.isLeaderless) return;
        answer(what && this.faults.refuses.has(what) ? { error: this.#refusal(subject) } : atServer());
      },
      undefined,
    );
    if (!answered) throw new NatsError('TIMEOUT', 'TIMEOUT');
    if ('error' in answered) throw answered.error;
    return answered.value;
  }

  #refusal(subject: string): NatsError {
    if (this.faults.why === 'no stream') return apiError(API_ERRORS.streamNotFound, 'stream not found');
    const error = new NatsError(`Permissions Violation for Publish to "${subject}"`, 'PERMISSIONS_VIOLATION');
    error.permissionContext = { operation: 'publish', subject };
    return error;
  }

  #pull(subject: string, order: PullOrder, inbox: string): void {
    const name = subject.slice(subject.lastIndexOf('.') + 1);
    this.#connection.send((side) => {
      const send = (messages: Sent[]): void =>
        this.#connection.deliver(side, () => this.#receive(inbox, messages));
      if (!this.faults.refuses.has('pull')) this.#consumers.pull(name, order, side, inbox, send);
      else if (this.faults.why === 'not permitted') {
        const permissionContext = { operation: 'publish', subject };
        this.#connection.deliver(side, () =>
          this.#statuses.push({ type: 'error', data: 'PERMISSIONS_VIOLATION', permissionContext }),
        );
      } else this.#consumers.pull('', order, side, inbox, send);
    });
  }

  #receive(inbox: string, messages: Sent[]): void {
    const subject = `${inbox.slice(0, inbox.lastIndexOf('.'))}.*`;
    for (const message of messages) this.#receivers.get(subject)?.(null, message);
  }
}

function apiError(code: number, description: string): NatsError {
  const error = new NatsError(description, '404');
  error.api_error = { err_code: code, code: 404, description };
  return error;
}

/** What is pushed, for whoever iterates over it: one reader, for ever. */
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
