import { type ConsumerConfig, NatsError } from 'nats';
import { API_ERRORS } from '../../../src/core/nats/client/outcome.js';
import { type Answer, apiError, ask } from './ask.js';
import type { Connection, Side } from './connection.js';
import { type PullOrder, type Sent, storedAt } from './consumers.js';
import type { Server } from './server.js';

export const STREAM = 'EVENTS';
const API = '$JS.API';
const CREATED = '2023-11-14T22:13:20Z';
const ALREADY_EXISTS = 10_148;

type Asked = 'create' | 'delete' | 'pull' | 'info';

/** Permanent faults of one member's access to the stream. */
export interface StreamFaults {
  /** These requests are refused: they are not permitted, or there is no such stream. */
  refuses: ReadonlySet<Asked>;
  why: 'not permitted' | 'no stream';
}

/** A permission violation, as the client reports it. */
export interface Violation {
  operation: 'publish';
  subject: string;
}

/** One member's requests to the partitioned stream. */
export class StreamApi {
  readonly faults: StreamFaults = { refuses: new Set(), why: 'not permitted' };
  /** True if a request for a reader or for messages was refused. Then the member must end. */
  wasRefused = false;
  readonly #server: Server;
  readonly #connection: Connection;
  readonly #violated: (violation: Violation) => void;

  /** @param violated is called if the member requests messages but may not publish the request. */
  constructor(server: Server, connection: Connection, violated: (violation: Violation) => void) {
    this.#server = server;
    this.#connection = connection;
    this.#violated = violated;
  }

  create(config: Partial<ConsumerConfig>): Promise<{ num_pending: number }> {
    const { name = '', filter_subject: subject = '', opt_start_seq: start = 1 } = config;
    const { log, consumers } = this.#server;
    const token = subject.slice(subject.lastIndexOf('.') + 1);
    return this.#ask<{ num_pending: number }>('create', name, (answer) => {
      const created = consumers.create(name, subject, String(start), (ready) =>
        token === '*' ? log.openAll(start, ready) : log.open(Number(token), start, ready),
      );
      if (created === 'taken') answer({ error: apiError(ALREADY_EXISTS, 'consumer already exists') });
      else if (created === 'full')
        answer({ error: apiError(API_ERRORS.consumersExceeded, 'maximum consumers') });
      else {
        answer({ value: { num_pending: created.pending } });
        consumers.created?.(name);
      }
    });
  }

  delete(name: string): Promise<boolean> {
    return this.#ask<boolean>('delete', name, (answer) => {
      if (this.#server.consumers.delete(name)) answer({ value: true });
      else answer({ error: apiError(API_ERRORS.consumerNotFound, 'consumer not found') });
    });
  }

  state(name: string): Promise<{
    config: Partial<ConsumerConfig>;
    delivered: { consumer_seq: number };
    num_pending: number;
  }> {
    const { consumers } = this.#server;
    return ask(this.#connection, (answer) => {
      if (consumers.isLeaderless) return;
      const state = consumers.state(name);
      if (state) {
        const { config, delivered, pending } = state;
        answer({ value: { config, delivered: { consumer_seq: delivered }, num_pending: pending } });
      } else answer({ error: apiError(API_ERRORS.consumerNotFound, 'consumer not found') });
    });
  }

  message(sequence: number): Promise<{ time: Date }> {
    const { consumers, log } = this.#server;
    return ask(this.#connection, (answer) => {
      if (consumers.isLeaderless) return;
      const stored = log.message(sequence);
      if (stored && !log.isDropped(stored)) answer({ value: { time: new Date(storedAt(sequence)) } });
      else answer({ error: apiError(API_ERRORS.messageNotFound, 'no message found') });
    });
  }

  newest(subject: string): Promise<{ seq: number; time: Date }> {
    const { consumers, log } = this.#server;
    const token = subject.slice(subject.lastIndexOf('.') + 1);
    return ask(this.#connection, (answer) => {
      if (consumers.isLeaderless) return;
      const newest = log.newest(token === '*' ? undefined : Number(token));
      if (newest) answer({ value: { seq: newest.sequence, time: new Date(storedAt(newest.sequence)) } });
      else answer({ error: apiError(API_ERRORS.messageNotFound, 'no message found') });
    });
  }

  info(): Promise<{
    created: string;
    state: { first_seq: number; last_seq: number; last_ts: string; num_deleted: number };
    config: object;
  }> {
    const { log } = this.#server;
    return this.#ask('info', '', (answer) => {
      const { first, missing } = log.bounds;
      const lastAt = new Date(storedAt(log.last)).toISOString();
      answer({
        value: {
          created: CREATED,
          state: { first_seq: first, last_seq: log.last, last_ts: lastAt, num_deleted: missing },
          config: { max_age: (log.maxAgeMs ?? 0) * 1_000_000 },
        },
      });
    });
  }

  pull(
    name: string,
    order: PullOrder,
    inbox: string,
    send: (side: Side) => (messages: Sent[]) => void,
  ): void {
    const { consumers } = this.#server;
    const isRefused = this.#refuses('pull');
    this.#connection.send((side) => {
      if (!isRefused) consumers.pull(name, order, side, inbox, send(side));
      // Without a stream there are no responders.
      else if (this.faults.why === 'no stream') consumers.pull('', order, side, inbox, send(side));
      else {
        const subject = `${API}.CONSUMER.MSG.NEXT.${STREAM}.${name}`;
        this.#connection.deliver(side, () => this.#violated({ operation: 'publish', subject }));
      }
    });
  }

  #ask<T>(what: Asked, name: string, atServer: (answer: (value: Answer<T>) => void) => void): Promise<T> {
    const isRefused = this.#refuses(what);
    return ask<T>(this.#connection, (answer) => {
      if (this.#server.consumers.isLeaderless) return;
      if (isRefused) answer({ error: this.#refusal(what, name) });
      else atServer(answer);
    });
  }

  #refuses(what: Asked): boolean {
    const isRefused = this.faults.refuses.has(what);
    // A member ends when it needs a reader. It does not wait until a reader is deleted, nor for the state of the stream.
    this.wasRefused ||= isRefused && (what === 'create' || what === 'pull');
    return isRefused;
  }

  #refusal(what: Asked, name: string): NatsError {
    if (this.faults.why === 'no stream') return apiError(API_ERRORS.streamNotFound, 'stream not found');
    const subject = `${API}.CONSUMER.${what.toUpperCase()}.${STREAM}.${name}`;
    const error = new NatsError(`Permissions Violation for Publish to "${subject}"`, 'PERMISSIONS_VIOLATION');
    error.permissionContext = { operation: 'publish', subject };
    return error;
  }
}
