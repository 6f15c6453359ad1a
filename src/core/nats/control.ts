import { type NatsConnection, NatsError, nuid, type Service } from 'nats';
import type { Identities, Link, MemberIdentity, ProbeOutcome, Prober } from '../ports.js';
import { watchConnection } from './connection.js';

/** Name of the micro service that every member is. */
export const SERVICE_NAME = 'natspoc';

/** What the service says about its member. */
export interface ServiceDescription {
  version: string;
  metadata: Record<string, string>;
  /** The data of a STATS answer, made when somebody asks. */
  stats: () => unknown;
}

/**
 * Members as NATS micro services (ADR-32), so that any NATS tool finds them, and so that a PING that nobody
 * answers says that a member's connection is gone.
 */
export class MicroIdentities implements Identities {
  readonly #connection: NatsConnection;
  readonly #description: ServiceDescription;

  constructor(connection: NatsConnection, description: ServiceDescription) {
    this.#connection = connection;
    this.#description = description;
  }

  async create(): Promise<MemberIdentity | undefined> {
    const { version, metadata, stats } = this.#description;
    let service: Service;
    try {
      service = await this.#connection.services.add({
        name: SERVICE_NAME,
        version,
        description: 'a member of a natspoc consumer group',
        metadata,
        statsHandler: () => Promise.resolve(stats()),
      });
      // The server has to know of the subscriptions before others see the session and probe for it.
      await this.#connection.flush();
    } catch {
      return this.#connection.isClosed() ? undefined : { id: nuid.next(), close: () => {} };
    }
    return {
      id: service.info().id,
      close: () => {
        service.stop().catch(() => {
          // The connection is closed already, and the service with it.
        });
      },
    };
  }
}

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
      await this.#connection.request(`$SRV.PING.${SERVICE_NAME}.${sessionId}`, undefined, {
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

  watch(events: { disconnected: () => void; reconnected: () => void }): void {
    watchConnection(this.#connection, events);
  }
}
