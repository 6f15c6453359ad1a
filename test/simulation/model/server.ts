import type { Timeline } from '../../../src/core/testing/timeline.js';
import { Cluster } from './cluster.js';
import type { Side } from './connection.js';
import { Consumers } from './consumers.js';
import { DeadStream } from './dead-letters.js';
import { EventLog } from './log.js';
import type { Random } from './random.js';
import { Store } from './store.js';

/**
 * A model of all NATS servers together: connections, bucket and stream. A restart loses only data in memory. A cut of routes affects the
 * bucket, but not the stream. All members can reach it, so a wrong owner would have messages to handle.
 */
export class Server {
  readonly store: Store;
  readonly cluster: Cluster;
  readonly log: EventLog;
  readonly dead = new DeadStream();
  /** `consumers` belong to the stream. `watchers` belong to the stream behind the bucket. */
  readonly consumers: Consumers;
  readonly watchers: Consumers;
  readonly #timeline: Timeline;
  readonly #sides = new Set<Side>();
  #up = true;

  constructor(timeline: Timeline, random: Random, partitions: number) {
    this.#timeline = timeline;
    this.store = new Store();
    this.cluster = new Cluster(timeline, random, this.store);
    this.log = new EventLog(partitions, () => timeline.now);
    this.consumers = new Consumers(timeline);
    this.watchers = new Consumers(timeline);
  }

  get isUp(): boolean {
    return this.#up;
  }

  accept(side: Side): void {
    this.#sides.add(side);
  }

  close(side: Side): void {
    side.open = false;
    this.#sides.delete(side);
  }

  responders(id: string): Side[] {
    const found: Side[] = [];
    for (const side of this.#sides) if (side.services.has(id)) found.push(side);
    return found;
  }

  /** Disconnects all clients, and drops readers in memory. `unreachableMs` returns how much later a client can reconnect. */
  restart(downMs: number, unreachableMs: (side: Side) => number): void {
    this.#up = false;
    this.consumers.forgetAll();
    this.watchers.forgetAll();
    for (const side of [...this.#sides]) {
      if (side.connection.side === side) side.connection.breakCleanly(downMs + unreachableMs(side));
      else this.close(side);
    }
    this.#timeline.after(downMs, () => {
      this.#up = true;
    });
  }
}
