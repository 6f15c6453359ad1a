import type { Timeline } from '../../../src/core/testing/timeline.js';
import type { Process } from './process.js';
import type { Random } from './random.js';
import type { Server } from './server.js';

/** The server's end of one connection. */
export interface Side {
  readonly connection: Connection;
  /** The server's number in its cluster. */
  readonly at: number;
  open: boolean;
  /** Ids of the micro services on this connection. */
  readonly services: Set<string>;
}

/** The connection events that a client reports. */
export interface ConnectionListener {
  disconnected?(): void;
  reconnected?(): void;
}

/** Latency in one direction. */
export interface Latency {
  minMs: number;
  maxMs: number;
}

const RECONNECT_MS = { min: 100, max: 150 };

/**
 * A client's connection with its faults. Bytes keep their order in both directions. While the client knows that it is disconnected, it
 * buffers messages. It sends them after the reconnect, as the real client does.
 */
export class Connection {
  side: Side | null = null;
  /** When the connection last stopped or started passing bytes, in true time. */
  troubledAt = 0;
  readonly #timeline: Timeline;
  readonly #random: Random;
  readonly #server: Server;
  readonly #process: Process;
  readonly #latency: Latency;
  readonly #listeners: ConnectionListener[] = [];
  readonly #services = new Set<string>();
  #up = false;
  #path: 'open' | 'held' | 'lost' = 'open';
  #held: (() => void)[] = [];
  #outbox: ((side: Side) => void)[] = [];
  #arrivesUp = 0;
  #arrivesDown = 0;
  #unreachableUntil = 0;
  #stalls = 0;

  constructor(timeline: Timeline, random: Random, server: Server, process: Process, latency: Latency) {
    this.#timeline = timeline;
    this.#random = random;
    this.#server = server;
    this.#process = process;
    this.#latency = latency;
    this.#connect();
  }

  get isUp(): boolean {
    return this.#up;
  }

  /** True while bytes pass in both directions. */
  get isPassable(): boolean {
    return this.#path === 'open';
  }

  get process(): Process {
    return this.#process;
  }

  listen(listener: ConnectionListener): void {
    this.#listeners.push(listener);
  }

  /** Runs a function at the server if the bytes arrive. */
  send(atServer: (side: Side) => void): void {
    if (this.#process.isDead) return;
    if (!this.#up) {
      this.#outbox.push(atServer);
      return;
    }
    const side = this.side;
    if (!side || this.#path === 'lost') return;
    if (this.#path === 'held') {
      this.#held.push(() => this.#passUp(side, atServer));
      return;
    }
    this.#passUp(side, atServer);
  }

  #passUp(side: Side, atServer: (side: Side) => void): void {
    this.#arrivesUp = Math.max(this.#arrivesUp, this.#process.at + this.#delay());
    this.#timeline.at(this.#arrivesUp, () => {
      if (side.open) atServer(side);
      // The server no longer knows this connection, and closes it.
      else if (side === this.side && this.#path === 'open') this.#lost();
    });
  }

  /** Runs a function at the client if the bytes arrive. */
  deliver(side: Side, atClient: () => void): void {
    if (!side.open || side !== this.side || this.#path === 'lost') return;
    if (this.#path === 'held') {
      this.#held.push(() => this.#passDown(side, atClient));
      return;
    }
    this.#passDown(side, atClient);
  }

  #passDown(side: Side, atClient: () => void): void {
    this.#arrivesDown = Math.max(this.#arrivesDown, this.#timeline.now + this.#delay());
    this.#timeline.at(this.#arrivesDown, () => {
      if (side === this.side && this.#up) this.#process.receive(atClient);
    });
  }

  #delay(): number {
    return this.#random.between(this.#latency.minMs, this.#latency.maxMs);
  }

  /** Registers a service now, and again after each reconnect. */
  serve(id: string): void {
    this.#services.add(id);
  }

  unserve(id: string): void {
    this.#services.delete(id);
    this.send((side) => side.services.delete(id));
  }

  /** Closes both ends. The client cannot reconnect for `unreachableMs`. */
  breakCleanly(unreachableMs: number): void {
    this.#close();
    this.#unreachable(unreachableMs);
    this.#lost();
  }

  /** Closes the server's end. The client notices after `noticeMs`. Messages that it sends before that are lost. */
  breakSilently(noticeMs: number, unreachableMs: number): void {
    this.#close();
    this.#unreachable(unreachableMs);
    this.#goSilent('lost', noticeMs, () => this.#lost());
  }

  /** After `noticeMs` the client drops the connection and reconnects. The server keeps the old end for a long time. */
  abandon(noticeMs: number, unreachableMs: number): void {
    const old = this.side;
    this.#unreachable(unreachableMs);
    this.#goSilent('lost', noticeMs, () => this.#lost());
    if (old) this.#timeline.after(noticeMs + unreachableMs + 30_000, () => this.#server.close(old));
  }

  /** Lets nothing pass for this time. Then everything arrives, late and in order. */
  stall(forMs: number): void {
    // Lost bytes stay lost, even if later bytes are only delayed.
    if (this.#path === 'lost') return;
    this.#goSilent('held', forMs, () => this.#release());
  }

  /** Ends the connection with its process. If `noticed`, the server closes its end. Otherwise it keeps its end for a long time. */
  end(noticed: boolean): void {
    this.#up = false;
    const side = this.side;
    if (!side) return;
    if (noticed) this.#server.close(side);
    else this.#timeline.after(60_000, () => this.#server.close(side));
  }

  #goSilent(path: 'held' | 'lost', forMs: number, then: () => void): void {
    const { side } = this;
    const stall = ++this.#stalls;
    this.#path = path;
    this.troubledAt = this.#timeline.now + forMs;
    this.#timeline.after(forMs, () => {
      if (this.#stalls === stall && this.side === side && this.#up) then();
    });
  }

  #release(): void {
    this.#path = 'open';
    const held = this.#held;
    this.#held = [];
    for (const pass of held) pass();
  }

  #unreachable(forMs: number): void {
    this.#unreachableUntil = Math.max(this.#unreachableUntil, this.#timeline.now + forMs);
  }

  #close(): void {
    if (this.side) this.#server.close(this.side);
  }

  /** Tells the client that the connection is gone. The client starts to reconnect. */
  #lost(): void {
    this.#stalls++;
    if (!this.#up) return;
    this.#up = false;
    this.#path = 'open';
    this.#held = [];
    this.#process.receive(() => {
      this.#tell('disconnected');
      this.#retry();
    });
  }

  #retry(): void {
    const { clock } = this.#process;
    clock.at(clock.now() + this.#random.between(RECONNECT_MS.min, RECONNECT_MS.max), () => {
      if (this.#server.isUp && this.#timeline.now >= this.#unreachableUntil) this.#reconnect();
      else this.#retry();
    });
  }

  #reconnect(): void {
    this.#connect();
    const outbox = this.#outbox;
    this.#outbox = [];
    for (const atServer of outbox) this.send(atServer);
    this.#tell('reconnected');
  }

  #connect(): void {
    this.side = {
      connection: this,
      at: this.#server.cluster.place(),
      open: true,
      services: new Set(this.#services),
    };
    this.#server.accept(this.side);
    this.#up = true;
    this.#path = 'open';
    this.troubledAt = this.#timeline.now;
  }

  #tell(what: 'disconnected' | 'reconnected'): void {
    for (const listener of this.#listeners) listener[what]?.();
  }
}
