import { createInbox, type NatsConnection, NatsError, nuid } from 'nats';
import { parseObject } from '../../lib/json.js';
import type { Identities, Link, MemberIdentity, Prober } from '../../ports/index.js';
import {
  CONTROL_VERBS,
  type ControlVerb,
  decodeRelease,
  decodeRetry,
  decodeSkip,
  encodeControl,
  type MemberControl,
  memberSubject,
} from '../../protocol/member-orders.js';
import { closedError, watchConnection } from '../client/watch-connection.js';
import { type Endpoint, MicroService, RefusedRequest } from './micro-service.js';

const SERVICE_NAME = 'natspoc';

/** The description of a member's service, and its endpoints. */
export interface ServiceDescription {
  stream: string;
  group: string;
  /** Prefix of the stream's subjects. */
  prefix: string;
  version: string;
  metadata: Record<string, string>;
  /** The data of a STATS answer. */
  stats: () => unknown;
  control: MemberControl;
}

/** In STATS, data belongs to an endpoint (ADR-32). The member's data is at this one. */
const STATS_ENDPOINT: ControlVerb = 'release';

/**
 * Registers members as NATS micro services (ADR-32), so that any NATS tool lists them. Only members should be allowed to
 * answer on the group's subjects. Then "no responders" means that the member's connection is gone.
 */
export class MicroIdentities implements Identities {
  readonly #connection: NatsConnection;
  readonly #description: ServiceDescription;

  constructor(connection: NatsConnection, description: ServiceDescription) {
    this.#connection = connection;
    this.#description = description;
  }

  /**
   * Creates an identity. Returns undefined if the connection broke, because the server may then not know the service.
   *
   * Permissions may forbid the member to answer probes. The session records this, so that other members conclude nothing
   * from its silence. On other forbidden subjects, the member receives no requests.
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
      // The server must know the subscriptions before other members see the session and probe it. Refused subscriptions
      // are reported before the answer to the flush. The client passes them on one turn of the event loop later.
      await this.#connection.flush();
    } catch (error) {
      // Otherwise the client would subscribe again after the reconnect, and answer for an old id.
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
    if (verb === 'retry') {
      const request = decodeRetry(data);
      return request && control.retry(request);
    }
    if (verb === 'skip') {
      const request = decodeSkip(data);
      return request && control.skip(request);
    }
    const request = decodeRelease(data);
    return request && control.release(request);
  }
}

/** How members are probed. */
export interface ProberOptions {
  stream: string;
  group: string;
  /** Prefix of reply subjects, if permissions require a prefix other than `_INBOX`. */
  inboxPrefix: string | undefined;
  timeoutMs: number;
}

/** Probes the members of a group, each at its own subject. */
export const microProber = (
  connection: NatsConnection,
  { stream, group, inboxPrefix, timeoutMs }: ProberOptions,
): Prober => ({
  async probe(sessionId) {
    try {
      const subject = memberSubject(stream, group, sessionId, 'ping');
      // A separate inbox: the answering client must not learn where the bucket's answers arrive.
      const options = { timeout: timeoutMs, noMux: true, reply: createInbox(inboxPrefix) };
      const answer = await connection.request(subject, undefined, options);
      // A stream that listens to all subjects also answers a probe. Only an answer with the member's id proves life.
      return parseObject(answer.data)?.id === sessionId ? 'alive' : 'timeout';
    } catch (error) {
      if (!(error instanceof NatsError)) return 'timeout';
      if (error.code === '503') return 'no-responders';
      return error.permissionContext ? 'denied' : 'timeout';
    }
  },
});

/** Watches the connection for a member. */
export const natsLink = (connection: NatsConnection): Link => ({
  watch(events) {
    let complaint: string | undefined;
    return watchConnection(connection, {
      ...events,
      unwelcome: (code) => {
        complaint = code;
      },
      closed: (error) => events.ended(closedError(error, complaint)),
    });
  },
});
