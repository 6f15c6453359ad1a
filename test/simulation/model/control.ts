import type {
  Identities,
  Link,
  MemberIdentity,
  ProbeOutcome,
  Prober,
} from '../../../src/core/ports/index.js';
import type { Connection, Side } from './connection.js';
import type { Random } from './random.js';
import { request } from './request.js';
import type { Server } from './server.js';

const FLUSH_MS = 2_000;

/** Probes that micro services answer. The outcome is "no responders" only if the server has no connection of the member. */
export class SimProber implements Prober {
  readonly #server: Server;
  readonly #connection: Connection;
  readonly #timeoutMs: number;
  readonly #denied: boolean;

  constructor(server: Server, connection: Connection, timeoutMs: number, denied: boolean) {
    this.#server = server;
    this.#connection = connection;
    this.#timeoutMs = timeoutMs;
    this.#denied = denied;
  }

  probe(sessionId: string): Promise<ProbeOutcome> {
    if (this.#denied) return Promise.resolve('denied');
    return request<ProbeOutcome>(
      this.#connection,
      this.#timeoutMs,
      (side, answer) => {
        const { cluster } = this.#server;
        const responders = this.#server.responders(sessionId);
        const sides = responders.filter(({ at }) => cluster.sees(side.at, at));
        if (sides.length === 0) {
          // After a quiet cut, the server still assumes connections on the other side.
          if (responders.length === 0 || !cluster.isQuiet) answer('no-responders');
        } else if (sides.some(reachesItsMember)) answer('alive');
      },
      'timeout',
    );
  }
}

/** True if the connection exists, bytes pass, and the member's process runs. */
const reachesItsMember = (side: Side): boolean => {
  const { connection } = side;
  return connection.side === side && connection.isUp && connection.isPassable && connection.process.isRunning;
};

/** Identities with random ids. The server knows them before they are returned. */
export class SimIdentities implements Identities {
  readonly #connection: Connection;
  readonly #random: Random;
  /** Aborts a running creation: when the connection breaks, the client gives up its requests. */
  #cut: (() => void) | undefined;
  readonly #isMute: boolean;
  readonly #created: (id: string) => void;

  /** If `isMute`, the member is not permitted to answer probes. */
  constructor(connection: Connection, random: Random, isMute: boolean, created: (id: string) => void) {
    this.#connection = connection;
    this.#random = random;
    this.#isMute = isMute;
    this.#created = created;
    connection.listen({ disconnected: () => this.#cut?.() });
  }

  async create(): Promise<MemberIdentity | undefined> {
    const id = this.#random.seed().toString(36).toUpperCase().padStart(7, '0');
    if (!this.#isMute) this.#connection.serve(id);
    const cut = new Promise<boolean>((resolve) => {
      this.#cut = () => resolve(false);
    });
    const flushed = request<boolean>(
      this.#connection,
      FLUSH_MS,
      (side, answer) => {
        if (!this.#isMute) side.services.add(id);
        answer(true);
      },
      false,
    );
    if (!(await Promise.race([flushed, cut]))) {
      this.#connection.unserve(id);
      return undefined;
    }
    this.#created(id);
    return { id, probeable: !this.#isMute, close: () => this.#connection.unserve(id) };
  }
}

/** The connection's state as its member sees it. */
export class SimLink implements Link {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  watch(events: { disconnected: () => void; reconnected: () => void }): () => void {
    this.#connection.listen(events);
    return () => {};
  }
}
