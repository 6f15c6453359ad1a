import { createInbox, type NatsConnection, NatsError, nuid } from 'nats';
import { parseObject } from '../../lib/json.js';
import type {
  Identities,
  Link,
  LinkEvents,
  MemberIdentity,
  ProbeOutcome,
  Prober,
} from '../../ports/index.js';
import {
  CONTROL_VERBS,
  type ControlVerb,
  decodeRelease,
  encodeControl,
  type MemberControl,
  memberSubject,
} from '../../protocol/member-orders.js';
import { closedError, watchConnection } from '../client/watch-connection.js';
import { type Endpoint, MicroService, RefusedRequest } from './micro-service.js';

/** Name of the micro service that every member is. */
const SERVICE_NAME = 'natspoc';

/** What the service says about its member, and what can be asked of it. */
export interface ServiceDescription {
  stream: string;
  group: string;
  /** Prefix of the stream's subjects. */
  prefix: string;
  /** A semantic version. */
  version: string;
  metadata: Record<string, string>;
  /** The data of a STATS answer, computed on request. */
  stats: () => unknown;
  control: MemberControl;
}

/** STATS data belongs to an endpoint (ADR-32). It would be the same for each: one carries it. */
const STATS_ENDPOINT: ControlVerb = 'release';

/**
 * Members as NATS micro services (ADR-32), so that any NATS tool finds them. Where each answers to its own group, beside
 * that, no other client needs the permission to answer: no responders means that the member's connection is gone.
 */
export class MicroIdentities implements Identities {
  readonly #connection: NatsConnection;
  readonly #description: ServiceDescription;

  constructor(connection: NatsConnection, description: ServiceDescription) {
    this.#connection = connection;
    this.#description = description;
  }

  /**
   * If permissions forbid the member to answer its group, no one answers for its id, and its session records this:
   * others must not conclude anything from that silence. What else they forbid it does without. Undefined: the
   * connection broke meanwhile, and whether the server knows of the service is not certain.
   */
  async create(): Promise<MemberIdentity | undefined> {
    const refused = new Set<string>();
    const unwatch = watchConnection(this.#connection, {
      refused: (_operation, subject) => refused.add(subject),
    });
    try {
      const { stream, group } = this.#description;
      const id = nuid.next();
      const service = await this.#start(id);
      const probeable = !refused.has(memberSubject(stream, group, id, 'ping'));
      return { id, probeable, close: () => service.stop() };
    } catch {
      return undefined;
    } finally {
      unwatch();
    }
  }

  async #start(id: string): Promise<MicroService> {
    const { stream, group, version, metadata, prefix } = this.#description;
    const service = new MicroService(this.#connection, {
      name: SERVICE_NAME,
      id,
      version,
      description: 'a member of a natspoc group',
      metadata: { ...metadata, session: id },
      endpoints: CONTROL_VERBS.map((verb) => this.#endpoint(id, verb)),
      alsoAt: {
        PING: memberSubject(stream, group, id, 'ping'),
        STATS: memberSubject(stream, group, id, 'stats'),
      },
      prefix,
    });
    try {
      // The server has to know of the subscriptions before others see the session and probe for it. What it refuses
      // it says before it answers this; the client tells it a turn of the loop later.
      await this.#connection.flush();
    } catch (error) {
      // The client would subscribe again after the reconnect, and answer for a member that has another id.
      service.stop();
      throw error;
    }
    await new Promise((resolve) => setImmediate(resolve));
    return service;
  }

  #endpoint(id: string, verb: ControlVerb): Endpoint {
    const { stream, group, stats } = this.#description;
    return {
      name: verb,
      subject: memberSubject(stream, group, id, verb),
      answer: async (request) => {
        const partitions = this.#order(verb, request);
        if (!partitions) throw new RefusedRequest(400, `not a request to ${verb}`);
        return encodeControl({ partitions });
      },
      ...(verb === STATS_ENDPOINT && { data: stats }),
    };
  }

  #order(verb: ControlVerb, data: Uint8Array): number[] | undefined {
    const { control } = this.#description;
    if (verb === 'stop') return control.stop();
    const request = decodeRelease(data);
    return request && control.release(request);
  }
}

/** Which members are probed, and how. */
export interface ProberOptions {
  stream: string;
  group: string;
  /** Prefix of reply subjects, where permissions ask for another than `_INBOX`. */
  inboxPrefix: string | undefined;
  timeoutMs: number;
}

/** Probes the members of a group, each at a subject of its own. */
export class MicroProber implements Prober {
  readonly #connection: NatsConnection;
  readonly #options: ProberOptions;

  constructor(connection: NatsConnection, options: ProberOptions) {
    this.#connection = connection;
    this.#options = options;
  }

  async probe(sessionId: string): Promise<ProbeOutcome> {
    const { stream, group, inboxPrefix, timeoutMs: timeout } = this.#options;
    try {
      // An inbox for this probe alone: who answers learns nothing of where the bucket's answers come.
      const answer = await this.#connection.request(
        memberSubject(stream, group, sessionId, 'ping'),
        undefined,
        {
          timeout,
          noMux: true,
          reply: createInbox(inboxPrefix),
        },
      );
      // A stream that takes all subjects answers as well. That says nothing of the member.
      return parseObject(answer.data)?.id === sessionId ? 'alive' : 'timeout';
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
