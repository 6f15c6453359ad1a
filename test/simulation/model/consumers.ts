import type { Side } from './connection.js';
import type { EventLog, Stored } from './log.js';
import type { Timeline } from './timeline.js';

/** The server deletes a consumer that nobody has asked for so long. */
const INACTIVE_MS = 30_000;
const NANOS_PER_MS = 1_000_000;
const NO_DATA = new Uint8Array(0);

/** What the server sends to an inbox: a message of the stream with the reply subject of its delivery, or a status. */
export interface Sent {
  readonly subject: string;
  readonly reply: string;
  readonly data: Uint8Array;
  readonly headers: { code: number; description: string; get(name: string): string } | undefined;
}

/** A pull request as the client writes it. */
export interface PullOrder {
  batch: number;
  /** Nanoseconds, both. */
  expires: number;
  idle_heartbeat: number;
}

/** A request that waits at the server. */
interface Waiting {
  readonly side: Side;
  readonly inbox: string;
  readonly send: (messages: Sent[]) => void;
  readonly expiresAt: number;
  readonly heartbeatMs: number;
  heartbeatAt: number;
  left: number;
}

interface Consumer {
  readonly name: string;
  readonly partition: number;
  readonly startSequence: number;
  /** Index of the next message to send. */
  next: number;
  delivered: number;
  waiting: Waiting[];
  askedAt: number;
}

/**
 * The pull consumers of the stream as nats-server keeps them, in memory: requests wait in a queue that is served in
 * turns, one message each (`waitQueue.pop` in server/consumer.go); one that waits gets heartbeats, and nobody else
 * does; it ends by its batch, by its expiry, or with its consumer.
 */
export class Consumers {
  /** The stream has no leader: nothing that is asked of it is answered. */
  isLeaderless = false;
  readonly #timeline: Timeline;
  readonly #log: EventLog;
  readonly #byName = new Map<string, Consumer>();
  readonly #byPartition: Set<Consumer>[];

  constructor(timeline: Timeline, log: EventLog) {
    this.#timeline = timeline;
    this.#log = log;
    this.#byPartition = log.partitions.map(() => new Set());
    log.observe((partition) => {
      for (const consumer of this.#byPartition[partition] ?? []) this.#serve(consumer);
    });
  }

  /** Creates a consumer; undefined where the name is taken by one that starts elsewhere. */
  create(name: string, partition: number, startSequence: number): { pending: number } | undefined {
    let consumer = this.#find(name);
    if (consumer && consumer.startSequence !== startSequence) return undefined;
    if (!consumer) {
      const next =
        this.#log.firstAfter(partition, startSequence - 1)?.index ?? this.#log.of(partition).length;
      const askedAt = this.#timeline.now;
      consumer = { name, partition, startSequence, next, delivered: 0, waiting: [], askedAt };
      this.#byName.set(name, consumer);
      this.#byPartition[partition]?.add(consumer);
    }
    return { pending: this.#pending(consumer) };
  }

  /** Deletes a consumer, and tells those that wait for it. False: it is not there. */
  delete(name: string): boolean {
    const consumer = this.#find(name);
    if (!consumer) return false;
    this.#forget(consumer);
    for (const { inbox, send } of consumer.waiting) send([status(inbox, 409, 'Consumer Deleted')]);
    consumer.waiting = [];
    return true;
  }

  /** Takes a pull request. Without a consumer nobody listens, and the server says that. */
  pull(name: string, order: PullOrder, side: Side, inbox: string, send: Waiting['send']): void {
    const consumer = this.#find(name);
    if (!consumer) {
      send([status(inbox, 503, '')]);
      return;
    }
    const { now } = this.#timeline;
    const heartbeatMs = order.idle_heartbeat / NANOS_PER_MS;
    const request: Waiting = {
      side,
      inbox,
      send,
      left: order.batch,
      expiresAt: now + order.expires / NANOS_PER_MS,
      heartbeatMs,
      heartbeatAt: now + heartbeatMs,
    };
    consumer.waiting.push(request);
    consumer.askedAt = now;
    this.#serve(consumer);
    if (request.left > 0) this.#lookAfter(consumer, request);
  }

  /** The server restarts: consumers in memory are gone, and nobody is told. */
  forgetAll(): void {
    for (const consumer of [...this.#byName.values()]) {
      this.#forget(consumer);
      consumer.waiting = [];
    }
  }

  #forget(consumer: Consumer): void {
    this.#byName.delete(consumer.name);
    this.#byPartition[consumer.partition]?.delete(consumer);
  }

  #find(name: string): Consumer | undefined {
    const consumer = this.#byName.get(name);
    if (!consumer || this.#timeline.now - consumer.askedAt <= INACTIVE_MS) return consumer;
    if (consumer.waiting.some(({ side }) => side.open)) return consumer;
    this.#forget(consumer);
    return undefined;
  }

  #pending({ partition, next }: Consumer): number {
    return this.#log.of(partition).length - next;
  }

  #serve(consumer: Consumer): void {
    const messages = this.#log.of(consumer.partition);
    const batches = new Map<Waiting['send'], Sent[]>();
    while (consumer.next < messages.length) {
      const request = consumer.waiting.shift();
      if (!request) break;
      // Its connection is closed: no interest is left.
      if (!request.side.open) continue;
      const stored = messages[consumer.next++] as Stored;
      request.left--;
      request.heartbeatAt = this.#timeline.now + request.heartbeatMs;
      if (request.left > 0) consumer.waiting.push(request);
      let batch = batches.get(request.send);
      if (!batch) {
        batch = [];
        batches.set(request.send, batch);
      }
      batch.push(delivery(consumer.name, stored, ++consumer.delivered, this.#pending(consumer)));
    }
    for (const [send, batch] of batches) send(batch);
  }

  /** Heartbeats and the expiry of a request, as long as it waits. */
  #lookAfter(consumer: Consumer, request: Waiting): void {
    this.#timeline.at(Math.min(request.heartbeatAt, request.expiresAt), () => {
      if (request.left === 0 || !request.side.open || !consumer.waiting.includes(request)) return;
      const { now } = this.#timeline;
      if (now >= request.expiresAt) {
        consumer.waiting.splice(consumer.waiting.indexOf(request), 1);
        request.send([status(request.inbox, 408, 'Request Timeout', request.left)]);
        return;
      }
      if (now >= request.heartbeatAt) {
        request.heartbeatAt = now + request.heartbeatMs;
        request.send([status(request.inbox, 100, 'Idle Heartbeat')]);
      }
      this.#lookAfter(consumer, request);
    });
  }
}

function delivery(consumer: string, stored: Stored, consumerSequence: number, pending: number): Sent {
  const { sequence, partition, key } = stored;
  return {
    subject: `events.p.${partition}`,
    reply: `$JS.ACK.EVENTS.${consumer}.1.${sequence}.${consumerSequence}.0.${pending}`,
    data: NO_DATA,
    headers: key === null ? undefined : { code: 0, description: '', get: () => key },
  };
}

function status(inbox: string, code: number, description: string, unserved?: number): Sent {
  const get = (): string => (unserved === undefined ? '' : String(unserved));
  return { subject: inbox, reply: '', data: NO_DATA, headers: { code, description, get } };
}
