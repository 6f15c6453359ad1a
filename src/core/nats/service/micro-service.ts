import type { Msg, NatsConnection, Subscription } from 'nats';
import { messageOf } from '../../lib/errors.js';
import { headerText } from '../../lib/header-text.js';
import { encodeHeaders } from '../client/headers.js';
import { listen } from '../client/listen.js';
import { isRequest } from '../client/request.js';

/** Tools expect a queue in which instances of a service share requests. Each of our members has its own endpoints. */
const QUEUE = 'q';
const VERBS = ['PING', 'INFO', 'STATS'] as const;
type Verb = (typeof VERBS)[number];

/** The header of answers to failed requests (ADR-32). */
export const SERVICE_ERROR = 'Nats-Service-Error';
const SERVICE_ERROR_CODE = 'Nats-Service-Error-Code';
/** Maximum length of an error text, in bytes. */
const MAX_ERROR_BYTES = 1_000;

/** A request that is answered with an error. */
export class RefusedRequest extends Error {
  /** An HTTP status. */
  readonly code: number;

  constructor(code: number, description: string) {
    super(description);
    this.code = code;
  }
}

/** An endpoint of a service. */
export interface Endpoint {
  name: string;
  subject: string;
  /** Answers a request. An exception becomes an error answer; see {@link RefusedRequest}. */
  answer: (request: Uint8Array) => Uint8Array | Promise<Uint8Array>;
  /** The endpoint's data in STATS. */
  data?: () => unknown;
}

/** The description of a service. */
export interface ServiceOptions {
  name: string;
  id: string;
  version: string;
  description: string;
  metadata: Readonly<Record<string, string>>;
  endpoints: readonly Endpoint[];
  /** Additional subjects of PING and STATS. */
  alsoAt: { readonly PING: string; readonly STATS: string };
  /** Prefix of the stream's subjects, to which no answer is sent. */
  prefix: string;
}

interface Counts {
  num_requests: number;
  num_errors: number;
  last_error: string;
  processing_time: number;
}

/**
 * A NATS micro service (ADR-32). It answers only requests; see {@link isRequest}. An endpoint that permissions forbid
 * receives none.
 */
export class MicroService {
  readonly #connection: NatsConnection;
  readonly #options: ServiceOptions;
  readonly #started = new Date().toISOString();
  readonly #counts = new Map<Endpoint, Counts>();
  readonly #subscriptions: Subscription[] = [];

  constructor(connection: NatsConnection, options: ServiceOptions) {
    this.#connection = connection;
    this.#options = options;
    for (const verb of VERBS) {
      const at = `$SRV.${verb}`;
      const also = verb === 'INFO' ? [] : [options.alsoAt[verb]];
      for (const subject of [at, `${at}.${options.name}`, `${at}.${options.name}.${options.id}`, ...also])
        this.#serve(subject, (message) => this.#send(message, encode(this.#describe(verb))));
    }
    for (const endpoint of options.endpoints) {
      this.#counts.set(endpoint, { num_requests: 0, num_errors: 0, last_error: '', processing_time: 0 });
      this.#serve(endpoint.subject, (message) => void this.#answer(endpoint, message), QUEUE);
    }
  }

  stop(): void {
    if (!this.#connection.isClosed()) for (const each of this.#subscriptions) each.unsubscribe();
  }

  #serve(subject: string, handle: (message: Msg) => void, queue?: string): void {
    const subscription = listen(
      this.#connection,
      subject,
      {
        message: (message) => {
          if (isRequest(message, subject, this.#options.prefix)) handle(message);
        },
        // The connection's watchers learn of a refused subscription. Here, requests just get no answer.
        failed: () => {},
      },
      queue === undefined ? {} : { queue },
    );
    this.#subscriptions.push(subscription);
  }

  async #answer(endpoint: Endpoint, message: Msg): Promise<void> {
    const startedAt = performance.now();
    const counts = this.#counts.get(endpoint);
    try {
      const answer = await endpoint.answer(message.data);
      this.#send(message, answer);
    } catch (error) {
      const code = error instanceof RefusedRequest ? error.code : 500;
      const description = headerText(messageOf(error), MAX_ERROR_BYTES) || 'failed';
      if (counts) Object.assign(counts, { num_errors: counts.num_errors + 1, last_error: description });
      this.#send(message, undefined, { [SERVICE_ERROR]: description, [SERVICE_ERROR_CODE]: String(code) });
    }
    if (!counts) return;
    counts.num_requests++;
    counts.processing_time += Math.round((performance.now() - startedAt) * 1_000_000);
  }

  #send(message: Msg, data?: Uint8Array, headers?: Record<string, string>): void {
    try {
      message.respond(data, headers && { headers: encodeHeaders(headers) });
    } catch {
      // The connection is being closed.
    }
  }

  #describe(verb: Verb): Record<string, unknown> {
    const { name, id, version, description, metadata, endpoints } = this.#options;
    const about = { type: `io.nats.micro.v1.${verb.toLowerCase()}_response`, name, id, version, metadata };
    if (verb === 'PING') return about;
    const places = endpoints.map((endpoint) => ({
      endpoint,
      place: { name: endpoint.name, subject: endpoint.subject, queue_group: QUEUE },
    }));
    if (verb === 'INFO') return { ...about, description, endpoints: places.map(({ place }) => place) };
    const stats = places.map(({ endpoint, place }) => ({ ...place, ...this.#statsOf(endpoint) }));
    return { ...about, started: this.#started, endpoints: stats };
  }

  #statsOf(endpoint: Endpoint): Record<string, unknown> {
    const counts = this.#counts.get(endpoint);
    const requests = counts?.num_requests ?? 0;
    const average = requests === 0 ? 0 : Math.round((counts?.processing_time ?? 0) / requests);
    const data = endpoint.data?.();
    return { ...counts, average_processing_time: average, ...(data !== undefined && { data }) };
  }
}

const encode = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
