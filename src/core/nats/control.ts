import { type Endpoint, type NatsConnection, NatsError, type Service, type ServiceMsg } from 'nats';
import { messageOf } from '../errors.js';
import {
  CONTROL_VERBS,
  type ControlVerb,
  controlSubject,
  decodePause,
  decodeRelease,
  encodeControl,
  type MemberControl,
} from '../operate/control.js';
import type { Identities, Link, LinkEvents, MemberIdentity, ProbeOutcome, Prober } from '../ports.js';
import { closedError, watchConnection } from './connection.js';

/** Name of the micro service that every member is. */
export const SERVICE_NAME = 'natspoc';

/** What the service says about its member, and what can be asked of it. */
export interface ServiceDescription {
  stream: string;
  group: string;
  /** A semantic version. */
  version: string;
  metadata: Record<string, string>;
  /** The data of a STATS answer, made when somebody asks. */
  stats: () => unknown;
  control: MemberControl;
}

/** STATS data belongs to an endpoint (ADR-32). It would be the same for each: one carries it. */
const STATS_ENDPOINT: ControlVerb = 'release';

/** Who answers for a service. The client keeps the service, once stopped, as long as the connection: but not its member. */
interface Answering {
  by: MicroIdentities | undefined;
}

/**
 * Members as NATS micro services (ADR-32), so that any NATS tool finds them, and so that a PING that nobody
 * answers says that a member's connection is gone.
 */
export class MicroIdentities implements Identities {
  readonly #connection: NatsConnection;
  readonly #description: ServiceDescription;
  /** What STATS says of an endpoint's errors. The client counts only those of handlers that do not wait. */
  readonly #errors = new Map<ControlVerb, { num_errors: number; last_error: string }>();

  constructor(connection: NatsConnection, description: ServiceDescription) {
    this.#connection = connection;
    this.#description = description;
  }

  /**
   * Where permissions forbid `$SRV.>`, the member has an id that nobody answers for, and says so: others must not
   * conclude anything from that silence. Where they forbid the endpoints, it does without. Undefined: the connection
   * broke meanwhile, and whether the server knows of the service is not certain.
   */
  async create(): Promise<MemberIdentity | undefined> {
    const refused = new Set<string>();
    const unwatch = watchConnection(this.#connection, {
      refused: (_operation, subject) => refused.add(subject),
    });
    try {
      let running = await this.#start(true);
      if (CONTROL_VERBS.some((verb) => refused.has(this.#subject(running.id, verb)))) {
        // The client ends a service that may not have one of its endpoints.
        running.close();
        running = await this.#start(false);
      }
      return { ...running, probeable: !refused.has(probeSubject(running.id)) };
    } catch {
      return undefined;
    } finally {
      unwatch();
    }
  }

  async #start(endpoints: boolean): Promise<Omit<MemberIdentity, 'probeable'>> {
    const { version } = this.#description;
    const metadata = { ...this.#description.metadata };
    const answering: Answering = { by: this };
    const service = await this.#connection.services.add({
      name: SERVICE_NAME,
      version,
      description: 'a member of a natspoc consumer group',
      metadata,
      statsHandler: async (endpoint) => (answering.by ? answering.by.#statsOf(endpoint) : undefined),
    });
    const { id } = service.info();
    const close = (): void => {
      answering.by = undefined;
      service.stop().catch(() => {
        // The connection is closed already, and the service with it.
      });
    };
    // The id is the session's, and only the service knows it: INFO and STATS say it under both names.
    Object.assign(metadata, { session: id });
    try {
      if (endpoints) this.#addEndpoints(service, answering);
      // The server has to know of the subscriptions before others see the session and probe for it. What it refuses
      // it says before it answers this; the client tells it a turn of the loop later.
      await this.#connection.flush();
    } catch (error) {
      // The client would subscribe again after the reconnect, and answer for a member that has another id.
      close();
      throw error;
    }
    await new Promise((resolve) => setImmediate(resolve));
    return { id, close };
  }

  /** The data of an endpoint, and its errors: `last_error` has to be there, also where there was none. */
  #statsOf(endpoint: Endpoint): unknown {
    const verb = CONTROL_VERBS.find((each) => endpoint.subject.endsWith(`.${each}`));
    const errors = (verb && this.#errors.get(verb)) ?? { num_errors: 0, last_error: '' };
    if ('stats' in endpoint && endpoint.stats instanceof Object) Object.assign(endpoint.stats, errors);
    return verb === STATS_ENDPOINT ? this.#description.stats() : undefined;
  }

  #subject(id: string, verb: ControlVerb): string {
    const { stream, group } = this.#description;
    return controlSubject(stream, group, id, verb);
  }

  #addEndpoints(service: Service, answering: Answering): void {
    const { id } = service.info();
    for (const verb of CONTROL_VERBS) {
      service.addEndpoint(verb, {
        subject: this.#subject(id, verb),
        handler: (error, message) => {
          if (!error && answering.by) void answering.by.#obey(verb, message);
        },
      });
    }
  }

  async #obey(verb: ControlVerb, message: ServiceMsg): Promise<void> {
    try {
      const partitions = await this.#order(verb, message.data);
      if (partitions) message.respond(encodeControl({ partitions }));
      else this.#refuse(verb, message, 400, `not a request to ${verb}`);
    } catch (error) {
      this.#refuse(verb, message, 500, messageOf(error));
    }
  }

  #refuse(verb: ControlVerb, message: ServiceMsg, code: number, description: string): void {
    const before = this.#errors.get(verb)?.num_errors ?? 0;
    this.#errors.set(verb, { num_errors: before + 1, last_error: description });
    message.respondError(code, description);
  }

  async #order(verb: ControlVerb, data: Uint8Array): Promise<number[] | undefined> {
    const { control } = this.#description;
    if (verb === 'stop') return control.stop();
    if (verb === 'release') {
      const request = decodeRelease(data);
      return request && control.release(request);
    }
    const request = decodePause(data);
    return request && control.pause(request);
  }
}

/** Where a member answers PING, and nobody else does. */
const probeSubject = (session: string): string => `$SRV.PING.${SERVICE_NAME}.${session}`;

/** Probes through `$SRV.PING.natspoc.<id>`. */
export class MicroProber implements Prober {
  readonly #connection: NatsConnection;
  readonly #timeoutMs: number;

  constructor(connection: NatsConnection, timeoutMs: number) {
    this.#connection = connection;
    this.#timeoutMs = timeoutMs;
  }

  async probe(sessionId: string): Promise<ProbeOutcome> {
    try {
      await this.#connection.request(probeSubject(sessionId), undefined, {
        timeout: this.#timeoutMs,
      });
      return 'alive';
    } catch (error) {
      if (!(error instanceof NatsError)) return 'timeout';
      if (error.code === '503') return 'no-responders';
      return error.permissionContext ? 'denied' : 'timeout';
    }
  }
}

/** The connection's state as the member sees it. */
export class NatsLink implements Link {
  readonly #connection: NatsConnection;

  constructor(connection: NatsConnection) {
    this.#connection = connection;
  }

  watch(events: LinkEvents): () => void {
    let complaint: string | undefined;
    return watchConnection(this.#connection, {
      ...events,
      unwelcome: (code) => {
        complaint = code;
      },
      closed: (error) => events.ended(closedError(error, complaint)),
    });
  }
}
